import { describe, expect, it } from 'vitest'
import type { Sample } from '../../src/client.js'
import { History } from '../../src/web/history.js'
import { until } from '../helpers/until.js'
import { bearer, startTestWeb } from './fixture.js'

const sample = (change: Partial<Sample> = {}): Sample => ({
  ...{
    nickname: 'a',
    epoch: 1,
    heart_beat: 100,
    heart_beat_interval: 1,
    published: 0,
    received: 0,
    lost: 0,
    memory_mb: 40,
    loop_delay_ms: 1.5,
  },
  ...change,
})

describe('the history of a worker', () => {
  it('has messages per second between heartbeats, memory and delay; nothing of what nobody knows', () => {
    const history = new History()
    history.take([sample()], 1000)
    history.take([sample({ heart_beat: 105, published: 50, received: 10, lost: 5 })], 6000)
    history.take([], 11_000)
    history.take([sample({ epoch: 2, heart_beat: 112, published: 3, memory_mb: null })], 16_000)
    history.take([sample({ epoch: 2, heart_beat: 114, published: 7, memory_mb: 41 })], 21_000)
    expect(history.of('a', 22_000)).toEqual({
      time: [1000, 6000, 11_000, 16_000, 21_000],
      now: 22_000,
      in: [null, 2, null, null, 0],
      out: [null, 10, null, null, 2],
      lost: [null, 1, null, null, 0],
      memory: [40, 40, null, null, 41],
      delay: [1.5, 1.5, null, 1.5, 1.5],
    })
    expect(history.of('b')).toMatchObject({ time: [], in: [] })
  })

  it('that beats more rarely than it is looked at goes on at its last rate until a beat is overdue', () => {
    const history = new History()
    const slow = (heart_beat: number, published: number) => sample({ heart_beat, published, heart_beat_interval: 10 })
    history.take([slow(100, 0)], 0)
    history.take([slow(100, 0)], 5000)
    history.take([slow(110, 30)], 10_000)
    history.take([slow(110, 30)], 15_000)
    history.take([slow(120, 90)], 20_000)
    for (let ms = 25_000; ms <= 45_000; ms += 5000) history.take([slow(120, 90)], ms)
    expect(history.totals().map(({ out }) => out)).toEqual([0, 3, 3, 6, 6, 6, 6, 6, 0])
    expect(history.of('a').out).toEqual([null, null, 3, 3, 6, 6, 6, 6, 6, null])
  })

  it('is of the last quarter of an hour only, and of no more workers than there is room for', () => {
    const history = new History()
    for (let i = 0; i < 400; i++) history.take([sample({ heart_beat: i, published: i * 2 })], i * 5000)
    const { time, out } = history.of('a')
    expect([time.length, time[0], time.at(-1)]).toEqual([180, 220 * 5000, 399 * 5000])
    expect(out.every((rate) => rate === 2)).toBe(true)
    const others = Array.from({ length: 10_500 }, (_, i) => sample({ nickname: `w${i}` }))
    history.take(others, 2_000_000)
    expect(history.of('w0').time).toHaveLength(180)
    expect(history.of('w10499').time).toHaveLength(0)
  })

  it('is given by the API at once, without a page having been open', async () => {
    const { http, fake } = await startTestWeb()
    const get = (nickname: string) => http.get(`/api/v1/workers/${nickname}/history`).set(...bearer())
    await until(async () => (await get('DemoName')).body.time.length > 0)
    expect((await get('DemoName')).body).toMatchObject({ memory: [48.2], delay: [1.1], out: [null] })
    expect((await get('Nobody')).status).toBe(404)
    expect(fake.watchers.size).toBe(0)
  })
})
