import { createHarness } from 'hysas/testing'
import { expect, test } from 'vitest'
import AlertCount from '../../processors/AlertCount.js'
import { countAlert, minuteOf } from '../../processors/lib/alert-counters.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis } from '../helpers/redis.js'

function newCounter(space: string) {
  return createHarness(AlertCount, { type: 'AlertCount', namespace: space, redis: connectRedis() })
}
const thisMinute = minuteOf(Date.now())
const ago = (minutes: number) => thisMinute - minutes * 60_000

test('a minute that is over is told once: total, sources, the worst first', async () => {
  const counter = newCounter(namespace())
  for (const source of ['192.0.2.1', '192.0.2.2', '192.0.2.2']) await countAlert(counter.ctx, source, ago(2))
  await counter.tick()
  await counter.tick()
  const minute = new Date(ago(2)).toISOString()
  const top = [
    { source: '192.0.2.2', count: 2 },
    { source: '192.0.2.1', count: 1 },
  ]
  const data = { minute, total: 3, sources: 2, top }
  expect(counter.published.map(({ data }) => data)).toEqual([data])
  expect(counter.events).toMatchObject([{ kind: 'count', source: '192.0.2.2', key: `minute:${minute}`, data }])
})

test('the minute that is under way is shown as progress and not told yet', async () => {
  const counter = newCounter(namespace())
  await countAlert(counter.ctx, '192.0.2.1')
  await counter.tick()
  const told = counter.published.length
  if (minuteOf(Date.now()) === thisMinute) expect(told).toBe(0)
  if (told === 0) expect(counter.progress.at(-1)).toMatchObject({ thisMinute: { total: 1 } })
})

test('minutes that ended while it was away are told by the next run, oldest first and none twice', async () => {
  const space = namespace()
  const first = newCounter(space)
  await countAlert(first.ctx, '192.0.2.1', ago(9))
  await first.tick()
  for (const minutes of [3, 5]) await countAlert(first.ctx, '192.0.2.1', ago(minutes))
  const second = newCounter(space)
  await second.tick()
  expect(second.published.map(({ data }) => (data as { minute: string }).minute)).toEqual(
    [ago(5), ago(3)].map((minute) => new Date(minute).toISOString()),
  )
})

test('a minute whose numbers are not kept any more is not told', async () => {
  const { ctx, published, tick } = newCounter(namespace())
  await ctx.redis.zadd(`${ctx.namespace}:alerts:minutes`, ago(2 * 24 * 60), String(ago(2 * 24 * 60)))
  await tick()
  expect(published).toEqual([])
})
