import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { transformSync } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { namesOf } from '../../src/redis/names.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

const ROOT = join(import.meta.dirname, '../..')

/** Code of a folder by file, without comments. */
function sources(folder: string): [file: string, code: string][] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file))
    .map((file) => {
      const code = readFileSync(join(ROOT, folder, file), 'utf8')
      const { code: bare } = transformSync(code, { loader: file.endsWith('x') ? 'tsx' : 'ts', jsx: 'preserve' })
      return [relative(ROOT, join(ROOT, folder, file)), bare]
    })
}

/** Each may import by a computed name: the bundle that the node compiled from a catalogued file, and nothing else. */
const LOADERS = ['src/cli/processor-file.ts', 'src/sandbox/loading.ts', 'src/sandbox/probe.ts']
/** Is the `import()` of the program that it runs: of the one in `src/sandbox/loading.ts`. */
const IN_ITS_STEAD = ['src/sandbox/main.ts']
/** Import by names that are constants: of the package's own program (put in by the build), and of BullMQ's own scripts. */
const OF_CONSTANTS = ['src/cli/main.ts', 'src/redis/bull-functions.ts']
/** Writes such a line into bundles: what a processor's own code requires. */
const BUNDLER = 'src/node/bundling.ts'
/** Runs the text `gc`, which is how V8 hands out its collector. */
const COLLECTOR = 'src/after-flood.ts'
/** Runs a file of the package itself, named by a constant, with what V8 keeps of it. */
const CODE_CACHE = 'src/code-cache.ts'

describe('our code', () => {
  const all = [...sources('src'), ...sources('processors')]

  it('never makes code of a text', () => {
    const bad = /(?<![.\w])eval\(|new Function\(|(?<![.\w])Function\(|node:vm|from "vm"|setTimeout\("|\bunserialize\(/
    expect(all.filter(([, code]) => bad.test(code)).map(([file]) => file)).toEqual([COLLECTOR, CODE_CACHE])
  })

  it('imports by a computed name only what the catalogue has compiled', () => {
    const computed = /\b(?:import|require)\((?!\s*["'`][^"'`$]+["'`]\s*\))/
    expect(
      all
        .filter(([file, code]) => file !== BUNDLER && computed.test(code))
        .map(([file]) => file)
        .sort(),
    ).toEqual([...LOADERS, ...IN_ITS_STEAD, ...OF_CONSTANTS].sort())
  })

  it('starts no shell but the keeper of the private Redis, whose script is a constant', () => {
    const shell = /["']\/bin\/sh["']|shell:\s*(true|!0)|\bexecSync\(|from "node:child_process".*\bexec\b/
    expect(all.filter(([, code]) => shell.test(code)).map(([file]) => file)).toEqual(['src/redis/embedded-server.ts'])
  })
})

describe('what comes over the channels', () => {
  it('is data only: thousands of odd messages end no node and no worker, run nothing and leave no key', async () => {
    const ns = namespace()
    const names = namesOf(ns)
    const redis = connectRedis()
    const node = await startNode({ namespace: ns })
    const client = await clientOf(ns)
    const { epoch } = await client.start('Demo', 'target', { everyMs: 1000 })
    const before = await keysOf(redis, ns)
    const channels = [names.command, names.workerCommand('Demo', 'target'), names.all, names.wake, names.eventsChannel]
    for (let i = 0; i < 400; i++) for (const channel of channels) await redis.publish(channel, odd(i))
    await new Promise((resolve) => setTimeout(resolve, 1000))
    expect(await client.show('target')).toMatchObject({ status: 'started', epoch })
    expect((await client.nodes()).map(({ pid }) => pid).length).toBe(1)
    const after = await until(async () => {
      const fresh = (await keysOf(redis, ns)).filter((key) => !before.includes(key))
      return fresh.length === 0 ? fresh : undefined
    })
    expect(after).toEqual([])
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    await client.restart('target')
    expect(node.output()).not.toMatch(/TypeError|RangeError|uncaught/i)
  })
})

/** Keys that stay; what belongs to the queue of commands and to passing counters comes and goes. */
async function keysOf(redis: ReturnType<typeof connectRedis>, ns: string): Promise<string[]> {
  const keys = await redis.keys(`${ns}*`)
  return keys.filter(
    (key) => !/:(queue|log|outbox|stalls|writer|alerter|node|foreign|mark|published|store|taken)\b/.test(key),
  )
}

/** The i-th of a series of messages that are no commands, for one reason or another. */
function odd(i: number): string | Buffer {
  const start = { type: 'sys', operation_name: 'start_worker', kwargs: { worker_name: 'Demo', nickname: `fuzz-${i}` } }
  const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`
  const kinds: (string | Buffer)[] = [
    '',
    '{',
    'null',
    '[]',
    '"text"',
    String(i),
    deep,
    `{"type":"sys","operation_name":"start_worker","kwargs":${deep}}`,
    '{"__proto__":{"polluted":1}}',
    `{"type":"sys","operation_name":"start_worker","kwargs":{"worker_name":"Demo","nickname":"f","__proto__":{"polluted":1}}}`,
    `{"type":"sys","operation_name":"logLevel","kwargs":{"constructor":{"prototype":{"polluted":1}}}}`,
    JSON.stringify({ ...start, type: 'SYS' }),
    JSON.stringify({ ...start, operation_name: 'constructor' }),
    JSON.stringify({ ...start, operation_name: '__proto__' }),
    JSON.stringify({ ...start, operation_name: 'eval', kwargs: { code: 'process.exit(1)' } }),
    JSON.stringify({ ...start, kwargs: { worker_name: '../../etc/passwd', nickname: 'f' } }),
    JSON.stringify({ ...start, kwargs: { worker_name: 'data:text/javascript,process.exit(1)', nickname: 'f' } }),
    JSON.stringify({ ...start, kwargs: { worker_name: 'Demo', nickname: 'a:b*c' } }),
    JSON.stringify({ ...start, kwargs: { worker_name: ['Demo'], nickname: { toString: 1 } } }),
    JSON.stringify({ ...start, kwargs: 'x'.repeat(300_000) }),
    JSON.stringify({ what: 'wedged', nickname: 7, type: {}, epoch: 'NaN' }),
    JSON.stringify({ what: 'stop' }),
    JSON.stringify({ kind: 'data_lost', nickname: [] }),
    Buffer.from([0x80, 4, 0x95, i & 255, 0xff, 0xfe]),
    Buffer.from("cos\nsystem\n(S'touch /tmp/pwned'\ntR."),
    `\u001b[2J\u0000\n${i}`,
  ]
  return kinds[i % kinds.length] ?? ''
}
