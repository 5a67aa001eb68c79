import { afterAll, describe, expect, it } from 'vitest'
import { createClient, type LogLine } from '../../src/client.js'
import { appendLogs } from '../../src/redis/log-stream.js'
import { namesOf } from '../../src/redis/names.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis, startRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

const server = await startRedis()
const names = namesOf(namespace())
const redis = connectRedis(server.url)
const client = await createClient({ redisUrl: server.url, namespace: names.namespace })
const ends = new Set<AbortController>()
afterAll(async () => {
  for (const end of ends) end.abort()
  await client.close()
})

const write = (nickname: string, ...lines: string[]) =>
  appendLogs(
    redis,
    names,
    lines.map((msg) => ({ nickname, text: JSON.stringify({ level: 30, time: 1, type: 'Demo', nickname, msg }) })),
  )

/** Follows a log; `got` grows. */
function follow(nickname: string, after?: string) {
  const stop = new AbortController()
  ends.add(stop)
  const got: LogLine[] = []
  const done = (async () => {
    for await (const line of client.followLogs(nickname, { signal: stop.signal, ...(after && { after }) }))
      got.push(line)
  })()
  return {
    got,
    words: () => got.map(({ msg }) => msg).join(' '),
    async stop() {
      stop.abort()
      await done
    },
  }
}

const readers = async () =>
  String(await redis.client('LIST'))
    .split('\n')
    .filter((line) => / cmd=xread /.test(line)).length

/** Calls of every command but those of this test, since the last reset. */
async function calls(work: () => Promise<unknown>): Promise<number> {
  await redis.config('RESETSTAT')
  await work()
  const stats = await redis.info('commandstats')
  return [...stats.matchAll(/^cmdstat_(xread|xrange|client\|id|client\|unblock|time|hgetall):calls=(\d+)/gm)].reduce(
    (sum, [, , count]) => sum + Number(count),
    0,
  )
}

describe('the last lines of a log', () => {
  it('are the newest, oldest first, of a level, after a line, and so many', async () => {
    const key = names.worker('read')
    await redis.hset(key, { type: 'Demo', nickname: 'read', wanted: '1' })
    await redis.sadd(names.workers, 'read')
    await write('read', ...Array.from({ length: 20 }, (_, n) => String(n)))
    const read = async (options: { level?: string; after?: string; limit?: number }) =>
      (await client.logs('read', options)).map(({ msg }) => msg).join(' ')
    expect(await read({ limit: 3 })).toBe('17 18 19')
    expect(await read({ limit: 3, level: 'info' })).toBe('17 18 19')
    expect(await read({ limit: 3, level: 'warn' })).toBe('')
    const [, , after] = await redis.xrevrange(names.log('read'), '+', '-', 'COUNT', 3)
    expect(await read({ limit: 9, after: after?.[0] ?? '' })).toBe('18 19')
    expect((await client.logs('read')).length).toBe(20)
  })
})

describe('logs that are followed', () => {
  it('come as they are written, in order, whenever somebody joins', async () => {
    await write('a', 'old')
    const first = follow('a')
    await until(async () => (await readers()) === 1, { what: 'a reader that waits' })
    await write('a', 'one', 'two')
    await until(() => first.words() === 'one two')
    const whole = follow('a', '0-0')
    await until(() => whole.words() === 'old one two')
    const other = follow('b')
    await write('a', 'three')
    await until(async () => {
      await write('b', 'x')
      return other.got.length > 0
    })
    await until(() => first.words() === 'one two three' && whole.words() === 'old one two three')
    expect(await readers()).toBeLessThanOrEqual(1)
    await Promise.all([first.stop(), whole.stop(), other.stop()])
    await until(async () => (await readers()) === 0, { what: 'no reader when nobody follows' })
  })

  it('lose nothing while they are joined and left in the midst of many lines', async () => {
    const steady = follow('busy', '0-0')
    const total = 2000
    let written = 0
    const writing = (async () => {
      for (; written < total; written += 10) {
        await write('busy', ...Array.from({ length: 10 }, (_, i) => String(written + i)))
        // Redis keeps the last thousand
        await until(() => written - steady.got.length < 500, { everyMs: 1 })
      }
    })()
    while (written < total - 100) {
      const { got, stop } = follow('busy', steady.got.at(-1)?.id ?? '0-0')
      const from = Number(steady.got.at(-1)?.msg ?? -1) + 1
      await until(() => got.length > 5 || written >= total)
      await stop()
      expect(got.map(({ msg }) => Number(msg))).toEqual(got.map((_, i) => from + i))
    }
    await writing
    await until(() => steady.got.length === total)
    expect(steady.got.every(({ msg }, i) => Number(msg) === i)).toBe(true)
    await steady.stop()
  })

  it('tell how many lines are missing, and where', async () => {
    const numbered = (...numbers: string[]) =>
      appendLogs(
        redis,
        names,
        numbers.map((number) => ({ nickname: 'gaps', number, text: JSON.stringify({ level: 30, msg: number }) })),
      )
    await numbered('a.0', 'a.1')
    const stop = new AbortController()
    ends.add(stop)
    const got: (string | number)[] = []
    const dropped = (lines: number) => void got.push(lines)
    const [, last] = await redis.xrange(names.log('gaps'), '-', '+')
    const followed = async (options: { after?: string; level?: string }) => {
      for await (const { msg } of client.followLogs('gaps', { signal: stop.signal, dropped, ...options })) got.push(msg)
    }
    const done = followed({ after: last?.[0] ?? '' })
    await numbered('a.5', 'a.6', 'b.9', 'b.10', 'b.12')
    // a line of a node that gives no numbers
    await write('gaps', 'none')
    await numbered('b.20', 'b.22')
    await until(() => got.at(-1) === 'b.22')
    expect(got).toEqual([3, 'a.5', 'a.6', 'b.9', 'b.10', 1, 'b.12', 'none', 'b.20', 1, 'b.22'])
    stop.abort()
    await done
  })

  it('tell what is missing right after a line that Redis has no more', async () => {
    const text = JSON.stringify({ level: 30, msg: 'x' })
    const write = (number: string) => appendLogs(redis, names, [{ nickname: 'trimmed', number, text }])
    await redis.hset(names.worker('trimmed'), { type: 'Demo', nickname: 'trimmed', wanted: '1' })
    await redis.sadd(names.workers, 'trimmed')
    await write('a.0')
    const [shown] = await client.logs('trimmed')
    for (const number of ['a.1', 'a.2', 'a.3']) await write(number)
    await redis.xtrim(names.log('trimmed'), 'MAXLEN', 1)
    const stop = new AbortController()
    ends.add(stop)
    const dropped: number[] = []
    const options = {
      after: shown as LogLine,
      signal: stop.signal,
      dropped: (lines: number) => void dropped.push(lines),
    }
    for await (const { number } of client.followLogs('trimmed', options)) {
      expect(number).toBe('a.3')
      break
    }
    expect(dropped).toEqual([2])
  })

  it('cost Redis the same for ten hearers as for one', async () => {
    const lines = async (all: ReturnType<typeof follow>[]) => {
      const before = all[0]?.got.length ?? 0
      for (let i = 1; i <= 5; i++) {
        await write('shared', 'x')
        await until(() => all.every(({ got }) => got.length >= before + i))
      }
    }
    const one = follow('shared', '0-0')
    await write('shared', 'first')
    await until(() => one.got.length === 1)
    const forOne = await calls(() => lines([one]))
    const ten = [one, ...Array.from({ length: 9 }, () => follow('shared', one.got.at(-1)?.id))]
    await write('shared', 'all')
    await until(() => ten.every(({ got }) => got.at(-1)?.msg === 'all'))
    for (const { got } of ten) got.length = 0
    const forTen = await calls(() => lines(ten))
    expect(forTen).toBeLessThanOrEqual(forOne + 2)
    expect(forTen).toBeLessThanOrEqual(15)
    await Promise.all(ten.map(({ stop }) => stop()))
  })

  it('go on by themselves after their connection was cut', async () => {
    const { words, stop } = follow('cut', '0-0')
    await write('cut', 'before')
    await until(() => words() === 'before')
    await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await write('cut', 'after')
    await until(() => words() === 'before after')
    await stop()
  })
})
