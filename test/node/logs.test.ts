import { closeSync, existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { recordOf } from '../../src/node/log-lines.js'
import { createLogKeeper, type LogKeeper, type LogKeeperOptions } from '../../src/node/logs.js'
import { namesOf } from '../../src/redis/names.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis, startRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

const keepers: LogKeeper[] = []
afterEach(async () => {
  await Promise.all(keepers.splice(0).map((keeper) => keeper.close()))
})

async function setUp(options: Partial<LogKeeperOptions> = {}) {
  const dir = join(temporaryFolder(), 'logs')
  const redis = options.redis ?? connectRedis()
  await until(() => redis.status === 'ready')
  const names = namesOf(namespace())
  const warnings: string[] = []
  const log = { warn: (_fields: object, message: string) => void warnings.push(message) }
  const keeper = createLogKeeper({ dir, redis, names, log, ...options })
  keepers.push(keeper)
  const file = (name: string) => readFileSync(join(dir, name), 'utf8').trimEnd().split('\n')
  const stream = async (nickname: string) =>
    (await redis.xrange(names.log(nickname), '-', '+')).map(([, fields]) => JSON.parse(fields[1] ?? '') as object)
  return { dir, redis, names, keeper, warnings, file, stream }
}

function targetOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return '' // that by which the folder was read
  }
}

const demo = { type: 'Demo', nickname: 'one', epoch: 7 }

test('a line is kept in the file of its worker and in its stream', async () => {
  const { keeper, file, stream } = await setUp()
  keeper.line(demo, 'log', '{"level":30,"time":5,"type":"Demo","nickname":"one","epoch":7,"msg":"hello","n":1}')
  keeper.line({ type: 'Demo', nickname: 'two' }, 'stdout', 'printed')
  await keeper.flush()
  const line = { level: 30, time: 5, type: 'Demo', nickname: 'one', epoch: 7, msg: 'hello', n: 1, stream: 'log' }
  expect(file('one.log').map((text) => JSON.parse(text))).toEqual([line])
  expect(await stream('one')).toEqual([line])
  expect(await stream('two')).toMatchObject([
    { level: 30, type: 'Demo', nickname: 'two', stream: 'stdout', msg: 'printed' },
  ])
})

test('what was written arrives by itself, in order', async () => {
  const { keeper, dir, file, stream } = await setUp()
  for (let n = 0; n < 500; n++) keeper.line(demo, 'stdout', `line ${n}`)
  await until(async () => existsSync(join(dir, 'one.log')) && (await stream('one')).length === 500)
  // the file is written beside the stream, and may end in half a line at any moment before
  await until(() => file('one.log').filter((text) => JSON.parse(text)).length === 500)
  const expected = Array.from({ length: 500 }, (_, n) => `line ${n}`)
  expect(file('one.log').map((text) => JSON.parse(text).msg)).toEqual(expected)
  expect((await stream('one')).map((record) => (record as { msg: string }).msg)).toEqual(expected)
})

test('files are bounded in size and number, and no line is torn', async () => {
  const { keeper, dir, file } = await setUp({ maxBytes: 2000, files: 3 })
  for (let n = 0; n < 100; n++) {
    keeper.line(demo, 'stdout', `line ${n}`)
    if (n % 7 === 0) await keeper.flush()
  }
  await keeper.flush()
  expect(readdirSync(dir).sort()).toEqual(['one.log', 'one.log.1', 'one.log.2'])
  for (const name of readdirSync(dir)) expect(statSync(join(dir, name)).size).toBeLessThanOrEqual(2000)
  const lines = ['one.log.2', 'one.log.1', 'one.log'].flatMap(file).map((text) => JSON.parse(text).msg)
  expect(lines).toEqual(Array.from({ length: lines.length }, (_, i) => `line ${100 - lines.length + i}`))
})

test('a later keeper goes on where the file ends', async () => {
  const first = await setUp({ maxBytes: 400 })
  first.keeper.line(demo, 'stdout', 'before')
  await first.keeper.close()
  const second = await setUp({ maxBytes: 400, dir: first.dir })
  for (let n = 0; n < 3; n++) second.keeper.line(demo, 'stdout', 'after')
  await second.keeper.close()
  expect(readdirSync(first.dir).sort()).toEqual(['one.log', 'one.log.1'])
  expect(first.file('one.log.1')[0]).toContain('before')
})

test('a thousand workers do not hold a thousand files open', async () => {
  const { keeper, dir } = await setUp()
  for (let n = 0; n < 1000; n++) keeper.line({ type: 'Demo', nickname: `w${n}` }, 'stdout', 'x')
  await keeper.flush()
  expect(readdirSync(dir)).toHaveLength(1000)
  if (existsSync('/proc/self/fd')) expect(readdirSync('/proc/self/fd').length).toBeLessThan(300)
})

test('the stream keeps about the last thousand lines', async () => {
  const { keeper, redis, names, stream } = await setUp()
  for (let n = 0; n < 5000; n++) keeper.line(demo, 'stdout', `line ${n}`)
  await keeper.flush()
  const length = () => redis.xlen(names.log('one'))
  expect(await length()).toBe(5000) // for a moment, for those who follow
  await until(async () => (await length()) < 1200, { timeoutMs: 20_000 })
  expect(await length()).toBeGreaterThanOrEqual(1000)
  expect((await stream('one')).at(-1)).toMatchObject({ msg: 'line 4999' })
})

test('while Redis is away files keep everything, and the newest lines reach the stream afterwards', async () => {
  const server = await startRedis({ appendonly: true })
  const redis = connectRedis(server.url)
  await until(() => redis.status === 'ready')
  const { keeper, file, stream } = await setUp({ redis })
  await server.kill()
  await until(() => redis.status !== 'ready')
  for (let n = 0; n < 3000; n++) keeper.line(demo, 'stdout', `line ${n}`)
  await keeper.flush()
  expect(file('one.log')).toHaveLength(3000)
  await server.restart()
  await until(async () => ((await stream('one')).at(-1) as { msg: string } | undefined)?.msg === 'line 2999')
})

test('the last lines before a silence reach the stream, also where they came while Redis was slow to take others', async () => {
  const server = await startRedis()
  const redis = connectRedis(server.url)
  const { keeper, file, stream } = await setUp({ redis })
  const other = connectRedis(server.url)
  await other.call('CLIENT', 'PAUSE', '1500', 'WRITE')
  keeper.line(demo, 'stdout', 'before')
  await until(() => redis.commandQueue.length > 0, { what: 'it is being sent' })
  keeper.line(demo, 'stdout', 'last')
  await until(() => file('one.log').length === 2)
  await until(async () => ((await stream('one')).at(-1) as { msg: string } | undefined)?.msg === 'last')
})

test.skipIf(!existsSync('/proc/self/fd'))(
  'a file that can not be closed is told, and the others are written on',
  async () => {
    const { keeper, dir, warnings, file } = await setUp()
    keeper.line(demo, 'stdout', 'a')
    keeper.line({ ...demo, nickname: 'two' }, 'stdout', 'a')
    await keeper.flush()
    const path = join(realpathSync(dir), 'one.log')
    const fd = readdirSync('/proc/self/fd').find((one) => targetOf(one) === path)
    closeSync(Number(fd))
    let lines = 1
    await until(
      () => {
        keeper.line({ ...demo, nickname: 'two' }, 'stdout', `${++lines}`)
        return warnings.length > 0
      },
      { everyMs: 300 },
    )
    expect(warnings).toEqual(['log files could not be kept in order'])
    await until(() => file('two.log').length === lines)
  },
)

test('a folder that was removed is made again', async () => {
  const { keeper, dir, file } = await setUp()
  rmSync(dir, { recursive: true })
  keeper.line(demo, 'stdout', 'still here')
  await keeper.flush()
  expect(file('one.log')).toHaveLength(1)
})

test('a file that can not be written is told, and the stream has the line', async () => {
  const { keeper, dir, warnings, stream } = await setUp()
  rmSync(dir, { recursive: true })
  const { writeFileSync } = await import('node:fs')
  writeFileSync(dir, 'in the way')
  keeper.line(demo, 'stdout', 'to the stream')
  await keeper.flush()
  expect(warnings).toEqual(['log lines could not be written'])
  expect(await stream('one')).toMatchObject([{ msg: 'to the stream' }])
  rmSync(dir)
})

test('after close nothing is taken any more, and closing again is no harm', async () => {
  const { keeper, file } = await setUp()
  keeper.line(demo, 'stdout', 'last')
  await Promise.all([keeper.close(), keeper.close()])
  keeper.line(demo, 'stdout', 'too late')
  await keeper.close()
  expect(file('one.log')).toHaveLength(1)
})

describe('a record', () => {
  const record = (stream: 'log' | 'stdout' | 'stderr', text: string) => {
    const json = recordOf(demo, stream, text, 1000)
    return json === undefined ? undefined : (JSON.parse(json) as Record<string, unknown>)
  }

  test('of plain text is of level info, and a warning from stderr', () => {
    expect(record('stdout', 'a\r')).toEqual({ ...demo, level: 30, time: 1000, stream: 'stdout', msg: 'a' })
    expect(record('stderr', 'b')).toMatchObject({ level: 40, stream: 'stderr' })
  })

  test('of an empty line is none', () => expect(record('stdout', '  \r')).toBeUndefined())

  test('of JSON that was printed keeps its fields, but not whose it is', () => {
    expect(record('stdout', '{"level":50,"msg":"x","nickname":"other","a":[1]}')).toEqual({
      ...demo,
      ...{ level: 50, time: 1000, stream: 'stdout', msg: 'x', a: [1] },
    })
  })

  test.each(['{"torn":', '{not json}', '[1]', '42', 'null'])('of %s is text', (text) => {
    expect(record('log', text)).toMatchObject({ msg: text, level: 30 })
  })

  test.each([
    ['text', 'x'.repeat(200_000)],
    ['characters of four bytes', '😀'.repeat(60_000)],
    ['control characters', '\u0001'.repeat(100_000)],
    ['JSON', JSON.stringify({ level: 50, msg: 'm', data: 'y'.repeat(200_000) })],
  ])('of too much %s is cut', (_what, text) => {
    const json = recordOf(demo, 'log', text, 1000) ?? ''
    expect(Buffer.byteLength(json)).toBeLessThanOrEqual(65_536)
    expect(JSON.parse(json)).toMatchObject({ ...demo, stream: 'log' })
    expect(json).not.toContain('\uFFFD')
  })
})
