import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { LONGEST_LINE, readLines } from '../../src/node/lines.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { until } from '../helpers/until.js'

/** The lines of chunks that come one after the other. */
async function linesOf(...chunks: (string | Buffer)[]): Promise<string[]> {
  const from = new PassThrough()
  const lines: string[] = []
  readLines(from, (line) => lines.push(line))
  for (const chunk of chunks) {
    from.write(chunk)
    await new Promise((resolve) => setImmediate(resolve))
  }
  from.end()
  await once(from, 'close')
  return lines
}

describe('lines', () => {
  it('end at any line break, wherever a chunk ends', async () => {
    expect(await linesOf('a\nb\r\n\nc\r', '\nd\re', 'f\r', 'g')).toEqual(['a', 'b', '', 'c', 'd', 'ef', 'g'])
  })

  it('keep characters whole that come in two chunks, and those that only look like line breaks', async () => {
    const bytes = Buffer.from('a😀\u2028b\n')
    expect(await linesOf(bytes.subarray(0, 3), bytes.subarray(3))).toEqual(['a😀\u2028b'])
  })

  it('that are as long as is taken are whole, longer ones are cut and marked', async () => {
    const whole = 'x'.repeat(LONGEST_LINE)
    expect(await linesOf(`${whole}\n`, `${whole}y\nnext\n`)).toEqual([whole, `${whole}…`, 'next'])
    expect(await linesOf(whole, 'y', 'z', 'z\nnext')).toEqual([whole, 'next'].map((text, i) => (i ? text : `${text}…`)))
  })

  it('without an end, longer than a string can be, are cut, and those after them are read', async () => {
    const writes = 'head -c 700000000 /dev/zero; echo; echo next'
    const child = spawn('/bin/sh', ['-c', writes], { stdio: ['ignore', 'pipe', 'ignore'] })
    const lines: string[] = []
    readLines(child.stdout, (line) => lines.push(line))
    await once(child, 'close')
    expect(lines.map(({ length }) => length)).toEqual([LONGEST_LINE + 1, 4])
  })

  it('are taken no more when that is told, but for what is there', async () => {
    const from = new PassThrough()
    const lines: string[] = []
    const reading = readLines(from, (line) => lines.push(line))
    from.write('a\nb')
    await until(() => lines.length)
    reading.end()
    reading.end()
    expect(lines).toEqual(['a', 'b'])
    expect(from.destroyed).toBe(true)
  })
})

const ENDLESS = `import { writeSync } from 'node:fs'
import { defineProcessor } from 'hysas'
const write = (fd, text) => {
  let rest = Buffer.from(text)
  while (rest.length) {
    try { rest = rest.subarray(writeSync(fd, rest)) } catch (error) { if (error.code !== 'EAGAIN') throw error }
  }
}
export default defineProcessor({
  async produce(ctx) {
    for (const fd of [1, 2, 4]) {
      for (let n = 0; n < 20; n++) {
        write(fd, 'x'.repeat(2e5))
        await ctx.sleep(1) // its heartbeat goes on
      }
      write(fd, '\\nnext of ' + fd + '\\n')
    }
    await ctx.sleep(1e8)
  },
})
`

it('a worker that writes much without a line break is heard on, and what is cut is marked in its log', async () => {
  const ns = namespace()
  const folder = join(temporaryFolder('hysas-endless'), 'processors')
  mkdirSync(folder)
  writeFileSync(join(folder, 'Endless.ts'), ENDLESS)
  const node = await startNode({ namespace: ns, processors: [folder] })
  const client = await clientOf(ns)
  const { pid } = await client.start('Endless', 'endless')
  const file = join(node.folder, '.hysas/logs/endless.log')
  const records = () =>
    readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string; cut?: number; stream: string })
  await until(() => records().filter(({ msg }) => msg.startsWith('next of')).length === 3, { timeoutMs: 30_000 })
  const cut = records().filter(({ cut }) => cut !== undefined)
  expect(cut.map(({ stream }) => stream).sort()).toEqual(['log', 'stderr', 'stdout'])
  for (const { msg } of cut) expect(msg).toMatch(/^x+…$/)
  expect(await client.show('endless')).toMatchObject({ pid, restarts: 0, status: 'started' })
})
