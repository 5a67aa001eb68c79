import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compileProcessor } from '../../src/node/compile.js'
import { probeProcessor } from '../../src/node/probe.js'
import { temporaryFolder } from '../helpers/folder.js'
import { until } from '../helpers/until.js'

async function probe(source: string, { name = 'Demo.ts', timeoutMs = 10_000 } = {}) {
  const folder = temporaryFolder()
  const file = join(folder, name)
  writeFileSync(file, source)
  const { bundle } = await compileProcessor({ file, outDir: join(folder, 'out') })
  return probeProcessor({ bundle, file, timeoutMs })
}

/** The reason for which a file is refused. */
async function refusal(source: string, options = {}): Promise<string> {
  const error = await probe(source, options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toMatchObject({ code: 'BAD_PROCESSOR' })
  return String((error as { details: { reason: string } }).details.reason)
}

const define = (options: string) =>
  `import { defineProcessor } from 'hysas'\nimport { z } from 'zod'\nexport default defineProcessor(${options} as never)`

describe('probing a processor that is well', () => {
  it('gives its manifest, with every default', async () => {
    expect(await probe(define('{ start() {} }'))).toEqual({
      kind: 'long-running',
      isolation: 'process',
      description: '',
      params: { type: 'object' },
      operations: {},
      heartbeatSeconds: 1,
      graceSeconds: 10,
      restart: { minDelayMs: 1000, maxDelayMs: 30_000, healthyAfterMs: 60_000, giveUpAfter: null },
      maxMemoryMb: null,
      maxLoopDelayMs: null,
      every: null,
      cron: null,
      timezone: null,
    })
  })

  it('gives the JSON Schema of what parameters and operations take', async () => {
    const manifest = await probe(
      define(`{
        description: 'Adds', isolation: 'shared', heartbeatSeconds: 2, graceSeconds: 3, maxMemoryMb: 256, maxLoopDelayMs: 500,
        restart: { minDelayMs: 10, giveUpAfter: 5 },
        params: z.object({
          everyMs: z.number().int().positive().default(1000).describe('ms between two'),
          since: z.date().optional(), port: z.coerce.number().default(1), len: z.string().transform((s) => s.length),
        }),
        receive() {},
        operations: { add: { description: 'a + b', args: z.object({ a: z.number() }), run() {} }, none: { run() {} } },
      }`),
    )
    expect(manifest).toMatchObject({
      ...{
        description: 'Adds',
        isolation: 'shared',
        heartbeatSeconds: 2,
        graceSeconds: 3,
        maxMemoryMb: 256,
        maxLoopDelayMs: 500,
      },
      restart: { minDelayMs: 10, maxDelayMs: 30_000, giveUpAfter: 5 },
      params: {
        type: 'object',
        properties: {
          everyMs: { type: 'integer', exclusiveMinimum: 0, default: 1000, description: 'ms between two' },
          since: {},
          port: { default: 1 },
          len: { type: 'string' },
        },
        required: ['len'],
        additionalProperties: false,
      },
    })
    expect(manifest.params.properties).toMatchObject({ port: expect.not.objectContaining({ type: 'number' }) })
    expect(manifest.operations).toEqual({
      add: {
        description: 'a + b',
        args: { type: 'object', properties: { a: { type: 'number' } }, required: ['a'], additionalProperties: false },
      },
      none: { description: '', args: { type: 'object' } },
    })
  })

  it('takes the schema of a library without JSON Schema as any object', async () => {
    const standard = "{ '~standard': { version: 1, vendor: 'own', validate: (value) => ({ value }) } }"
    expect((await probe(define(`{ params: ${standard}, start() {} }`))).params).toEqual({ type: 'object' })
  })

  it('reads the times of a repeatable one', async () => {
    const tick = async (options: string) => {
      const { kind, every, cron, timezone } = await probe(define(`{ tick() {}, ${options} }`))
      return [kind, every, cron, timezone]
    }
    expect(await tick('every: 5000')).toEqual(['repeatable', 5000, null, null])
    expect(await tick("every: '1.5s'")).toEqual(['repeatable', 1500, null, null])
    expect(await tick("cron: '*/5 * * * *'")).toEqual(['repeatable', null, '*/5 * * * *', 'UTC'])
    expect(await tick("cron: '0 0 8 * * 1-5', timezone: 'Europe/Berlin'")).toEqual([
      ...['repeatable', null],
      ...['0 0 8 * * 1-5', 'Europe/Berlin'],
    ])
  })

  it('takes plain BullMQ functions, ESM and CommonJS', async () => {
    const plain = { kind: 'plain', params: { type: 'object' }, isolation: 'process' }
    expect(await probe('export default async function (job: unknown) {}')).toMatchObject(plain)
    expect(await probe('module.exports = async (job) => {}', { name: 'Demo.cjs' })).toMatchObject(plain)
    expect(await probe('exports.default = async (job) => {}', { name: 'Demo.js' })).toMatchObject(plain)
    const marked = "const { defineProcessor } = require('hysas'); module.exports = defineProcessor({ start() {} })"
    expect(await probe(marked, { name: 'Demo.cjs' })).toMatchObject({ kind: 'long-running' })
  })

  it('is done, whatever the file leaves open, prints or sends', async () => {
    const source = `setInterval(() => {}, 1000)
process.on('exit', () => { for (;;); })
console.log('x'.repeat(1e6))
process.send?.({ hysas: 'other', manifest: {} })
process.send?.('noise')
export default () => 1`
    expect(await probe(`// @ts-nocheck\n${source}`)).toMatchObject({ kind: 'plain' })
  })

  it('shows the file little of our environment', async () => {
    process.env.HYSAS_TEST_SECRET = 'x'
    const source =
      'if (process.env.HYSAS_TEST_SECRET || !process.env.PATH) throw new Error("seen")\nexport default () => 1'
    expect(await probe(source)).toMatchObject({ kind: 'plain' })
    delete process.env.HYSAS_TEST_SECRET
  })
})

describe('probing a file that is not well', () => {
  it('says what its default export is instead', async () => {
    expect(await refusal('export const x = 1')).toBe('its default export is missing')
    expect(await refusal('export default 5')).toBe('its default export is a number')
    expect(await refusal('export default null')).toBe('its default export is null')
    expect(await refusal('export default class Demo {}')).toBe('its default export is a class')
    expect(await refusal('export default { start() {} }')).toContain('not made by defineProcessor')
    expect(await refusal('exports.run = 5', { name: 'Demo.cjs' })).toContain('not made by defineProcessor')
    expect(await refusal('', { name: 'Demo.js' })).toContain('missing')
  })

  it('says where it throws', async () => {
    const where = /^it throws when it is imported: TypeError: no good \(at \/.*Demo\.ts:4:9\)$/
    expect(await refusal('interface A {\n  a: 1\n}\n  throw new TypeError("no good")')).toMatch(where)
    expect(await refusal('throw "words"')).toBe('it throws when it is imported: words')
    expect(await refusal('await Promise.reject(new Error("later"))\nexport default 1')).toMatch(
      /later \(at .*Demo\.ts:1:22\)/,
    )
  })

  it('says that it ends the process, with what it printed', async () => {
    expect(await refusal('console.error("no key"); process.exit(3)')).toBe(
      'it ends the process when it is imported (exit code 3); it printed: no key',
    )
    expect(await refusal('process.kill(process.pid, "SIGKILL")')).toContain('(signal SIGKILL)')
    expect(await refusal('await new Promise(() => {})')).toContain('waits at the top level')
  })

  it('kills a loop without end, and what it started before', async () => {
    const folder = temporaryFolder()
    const note = join(folder, 'pid')
    const source = `import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' })
writeFileSync(${JSON.stringify(note)}, [process.pid, child.pid].join())
for (;;);`
    expect(await refusal(source, { timeoutMs: 1000 })).toContain('not imported within 1 s')
    const pids = readFileSync(note, 'utf8').split(',')
    await until(() => pids.every((pid) => !readdirSync('/proc').includes(pid) || isZombie(pid)))
  })

  it('names the option that is wrong', async () => {
    const refused: [options: string, reason: string | RegExp][] = [
      ['{}', /^it does nothing/],
      ['{ recieve() {} }', 'recieve is not an option. Did you mean "receive"'],
      ['{ start: 5 }', 'start: given 5, wanted a function'],
      ['{ start() {}, description: 5 }', 'description: given 5, wanted a text'],
      ['{ start() {}, isolation: "thread" }', 'isolation: given "thread", wanted "process" or "shared"'],
      ['{ start() {}, heartbeatSeconds: 0 }', 'heartbeatSeconds: given 0, wanted a number from 0.1 to 3600'],
      ['{ start() {}, graceSeconds: -1 }', 'graceSeconds: given -1, wanted a number from 0 to 3600'],
      ['{ start() {}, params: { a: 1 } }', /^params: given \{"a":1\}, wanted a schema/],
      ['{ start() {}, restart: { max: 1 } }', /^restart\.max is not an option/],
      ['{ start() {}, restart: { giveUpAfter: 0 } }', 'restart.giveUpAfter: given 0, wanted a whole number above 0'],
      ['{ receive() {}, concurrency: 1.5 }', 'concurrency: given 1.5, wanted a whole number from 1 to 1000'],
      ['{ receive() {}, onError: "stop" }', 'onError: given "stop", wanted "continue" or "restart"'],
      ['{ subscribe: { nickname: "a" } }', /^subscribe needs receive/],
      ['{ receive() {}, subscribe: [{ chanel: "a" }] }', /^subscribe: given \{"chanel":"a"\}, wanted/],
      ['{ operations: { "a b": { run() {} } } }', /^operations\.a b: a name has only/],
      ['{ operations: { subscribe: { run() {} } } }', /^operations\.subscribe: every worker has/],
      ['{ operations: { a: {} } }', 'operations.a.run: given undefined, wanted a function'],
      ['{ tick() {} }', /^tick needs either every or cron/],
      ['{ tick() {}, every: 100, cron: "* * * * *" }', /^tick needs either every or cron/],
      ['{ tick() {}, every: 100, produce() {} }', /^tick does not go together with produce/],
      ['{ tick() {}, every: 100, operations: {} }', /^tick does not go together with operations/],
      ['{ tick() {}, every: 10 }', /^every: given 10, wanted at least 50 ms/],
      ['{ tick() {}, every: "soon" }', /^every: given "soon", wanted a number of ms/],
      ['{ tick() {}, every: 100, timezone: "UTC" }', 'timezone is of use only with cron'],
      ['{ tick() {}, cron: "* *" }', /wanted five or six fields/],
      ['{ tick() {}, cron: "61 * * * *" }', /^cron: given "61 \* \* \* \*": Constraint error/],
      ['{ tick() {}, cron: "0 0 31 2 *" }', /^cron: given/],
      ['{ tick() {}, cron: "* * * * *", timezone: "Nowhere" }', /^timezone: given "Nowhere"/],
      ['{ start() {}, every: 100 }', 'every is of use only with tick'],
    ]
    for (const [options, reason] of refused) {
      const got = await refusal(define(options))
      if (typeof reason === 'string') expect(got).toBe(reason)
      else expect(got).toMatch(reason)
    }
  })
})

function isZombie(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return true
  }
}
