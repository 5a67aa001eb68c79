import { describe, expect, it } from 'vitest'
import type { EventStore } from '../../src/store/types.js'
import { Counts } from '../../src/web/counts.js'
import { until } from '../helpers/until.js'
import { bearer, startTestWeb, storedEvent } from './fixture.js'

type Count = EventStore['countByTime']

/** Counts of a store that the test answers for, and what it was asked. */
function countsOf(countByTime: Count) {
  const asked: Parameters<Count>[0][] = []
  const store = {
    countByTime: (query: Parameters<Count>[0]) => {
      asked.push(query)
      return countByTime(query)
    },
  }
  return { counts: new Counts(async () => store), asked }
}

describe('counts of events', () => {
  it('of ten pages that ask the same, while ten events a second come, are made once in a few seconds', async () => {
    const { http, fake } = await startTestWeb()
    let calls = 0
    const { countByTime } = fake.store
    fake.store.countByTime = (query) => {
      calls++
      return countByTime(query)
    }
    const begun = performance.now()
    let n = 0
    const coming = setInterval(() => fake.tell('event', storedEvent({ id: `${Date.now()}-${n++}` })), 100)
    const page = async () => {
      for (let i = 0; i < 20; i++) {
        const answer = await http
          .get('/api/v1/events/counts?kind=alert&since=0&until=2000&bucketMs=1000')
          .set(...bearer())
        expect(answer.status).toBe(200)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
    await Promise.all(Array.from({ length: 10 }, page))
    clearInterval(coming)
    const most = 1 + Math.floor((performance.now() - begun) / 5000)
    expect(calls).toBeLessThanOrEqual(most)
  })

  it('of different questions are made one after the other, and further ones are refused while many wait', async () => {
    let running = 0
    let most = 0
    let go = () => {}
    const gate = new Promise<void>((resolve) => {
      go = resolve
    })
    const { counts, asked } = countsOf(async () => {
      most = Math.max(most, ++running)
      await gate
      running--
      return []
    })
    const answers = Array.from({ length: 20 }, (_, since) => counts.of({ since, bucketMs: 1000 }))
    expect(() => counts.of({ since: 99, bucketMs: 1000 })).toThrow('Too many requests')
    await until(() => asked.length === 1)
    expect(counts.of({ bucketMs: 1000, since: 7 })).toBe(answers[7])
    go()
    await Promise.all(answers)
    expect([most, asked.length]).toEqual([1, 20])
  })

  it('that failed are made again when they are asked for again', async () => {
    let away = true
    const { counts } = countsOf(async () => {
      if (away) throw new Error('away')
      return []
    })
    await expect(counts.of({ bucketMs: 1000 })).rejects.toThrow('away')
    away = false
    expect(await counts.of({ bucketMs: 1000 })).toEqual([])
  })

  it('are of so many bars at most: the last of them without a begin, and else it is refused', async () => {
    const { counts, asked } = countsOf(async () => [])
    await counts.of({ bucketMs: 1000, until: 10_000_000 })
    expect(asked).toEqual([{ bucketMs: 1000, since: 7_000_000, until: 10_000_000 }])
    const { http } = await startTestWeb()
    const ask = (query: string) => http.get(`/api/v1/events/counts?${query}`).set(...bearer())
    expect((await ask('bucketMs=1000&since=1000&until=3001000')).status).toBe(200)
    const { status, body } = await ask('bucketMs=1000&since=1000&until=3001001')
    expect([status, body.code]).toEqual([400, 'BAD_REQUEST'])
    expect(body.message).toContain('query.bucketMs: more than 3000 bars')
    expect((await ask('bucketMs=1000&since=0')).status).toBe(400)
    const { body: description } = await http.get('/api/v1/openapi.json').set(...bearer())
    const { parameters } = description.paths['/events/counts'].get
    expect(JSON.stringify(parameters)).toContain('there are at most 3000')
  })
})
