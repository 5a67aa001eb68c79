// Measures and prints the table of speeds: `npm run bench [-- NAME...] [--list] [--quick] [--markdown FILE]...`.
// Exit 1 where a bar is missed or a row could not be measured, 2 for a name that is none.
import '../scripts/node-version.cjs'
import { parseArgs } from 'node:util'
import { ROOT, setup } from '../scripts/lib/setup.mjs'
import { say, warn } from '../scripts/lib/terminal.mjs'
import { compile } from './compile.mjs'
import { install } from './install.mjs'

const asked = read(process.argv.slice(2))
process.exitCode = asked ? await main(asked) : 2
// whatever a row has left open must not keep this process
process.exit()

function read(args) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        list: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        markdown: { type: 'string', multiple: true, default: [] },
      },
    })
    return { ...values, names: positionals }
  } catch (error) {
    warn(error.message)
    return undefined
  }
}

async function main(asked) {
  if (!(await setup({ redis: true }))) return 1
  process.env.HYSAS_BENCH_ROOT = ROOT
  const { list, choose, run } = await compile(ROOT)
  if (asked.list) {
    console.log(list())
    return 0
  }
  const { chosen, unknown } = choose(asked.names)
  if (unknown.length) {
    warn(`No row is called ${unknown.join(', ')}. There are:`)
    say(list())
    return 2
  }
  const needs = new Set(chosen.flatMap((row) => row.needs ?? []))
  if (!(await install(ROOT, needs))) return 1
  return (await run(chosen, asked)) ? 0 : 1
}
