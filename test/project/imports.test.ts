import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../helpers/folder.js'

const SCRIPT = join(import.meta.dirname, '../../scripts/imports.mjs')

function check(folder: string): { status: number | null; said: string } {
  const { status, stderr } = spawnSync(process.execPath, [SCRIPT, folder], { encoding: 'utf8' })
  return { status, said: stderr }
}

/** A house of these files; all that they import is there. */
function house(files: Record<string, string>): string {
  const folder = temporaryFolder()
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

describe('the import rules', () => {
  it('hold in this project', () => {
    const { status, said } = check(join(SCRIPT, '../..'))
    expect(said).toMatch(/ 0 against the rules/)
    expect(status).toBe(0)
  })

  it.each([
    ['up a floor', 'src/fleet/a.ts', "import { createClient } from '../client.js'", /floor 3\) imports src\/client.ts/],
    ['up a floor, types too', 'src/redis/a.ts', "import type { X } from '../fleet/views.js'", /never up/],
    ['up a floor, over several lines', 'src/store/a.ts', "import {\n  a,\n  b,\n} from '../web/x.js'", /never up/],
    ['up a floor, lazily', 'src/errors.ts', "export const x = () => import('./cli/main.js')", /never up/],
    ['up a floor, passed on', 'src/contract.ts', "export * from './config/resolve.js'", /never up/],
    ['a room that is on no floor', 'src/cellar/a.ts', "import { a } from '../errors.js'", /belongs to no floor/],
    ['the store into the sandbox', 'src/sandbox/a.ts', "import { open } from '../store/database.js'", /starts fast/],
    ['the sandbox into the node', 'src/node/a.ts', "import { run } from '../sandbox/run.js'", /path of its bundle/],
    ['BullMQ Workers into the fleet', 'src/fleet/a.ts', "import { Queue, Worker } from 'bullmq'", /no BullMQ Worker/],
    [
      'child processes into the monitor',
      'src/monitor/a.ts',
      "import { fork } from 'node:child_process'",
      /monitor knows/,
    ],
    ['the fleet into the web', 'src/web/a.ts', "import { admit } from '../fleet/fleet.js'", /only through client/],
    [
      'scripts of the fleet into the CLI',
      'src/cli/a.ts',
      "import { s } from '../redis/fleet-scripts.js'",
      /through client/,
    ],
  ])('forbid %s', (_what, path, text, sentence) => {
    const { status, said } = check(house({ [path]: `${text}\n` }))
    expect(said).toMatch(sentence)
    expect(status).toBe(1)
  })

  it('forbid circles of what runs, not of types', () => {
    const a = "import { b } from './b.js'\nexport const a = 1\n"
    const circle = check(house({ 'src/redis/a.ts': a, 'src/redis/b.ts': "import { a } from './a.js'\n" }))
    expect(circle.said).toMatch('imports in a circle: src/redis/a.ts -> src/redis/b.ts -> src/redis/a.ts')
    const types = check(house({ 'src/redis/a.ts': a, 'src/redis/b.ts': "import type { a } from './a.js'\n" }))
    expect(types.status).toBe(0)
  })

  it('allow what goes down, and the database of a worker when it is first asked for', () => {
    const { status, said } = check(
      house({
        'src/cli/a.ts': "import { createClient } from '../client.js'\nimport type { W } from '../fleet/views.js'\n",
        'src/sandbox/a.ts': "import { e } from '../errors.js'\nconst open = () => import('../store/database.js')\n",
        'src/fleet/a.ts': "import { Queue } from 'bullmq'\n// import { x } from '../cli/a.js'\n",
      }),
    )
    expect(said).toMatch('5 imports, 0 against')
    expect(status).toBe(0)
  })
})
