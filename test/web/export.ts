import { get as httpGet, type IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStore } from '../../src/store/store.js'
import type { EventQuery, EventStore } from '../../src/store/types.js'
import { until } from '../helpers/until.js'
import type { Place } from '../store/contract.js'
import { many } from '../store/events.js'
import { startTestWeb, TOKEN } from './fixture.js'

const ROWS = 25_000

/** What an export does, of either database. */
export function describeExport(place: () => Promise<Place>): void {
  let store: EventStore
  let port = 0
  let failAfter = Number.POSITIVE_INFINITY
  const asked: EventQuery[] = []
  const events = many(ROWS, (n) => ({
    kind: n % 5 ? 'alert' : 'started',
    message: n % 2 ? 'plain' : '=1+1, "quoted"\nsecond line',
    data: { n, fill: 'x'.repeat(1000) },
  }))

  beforeAll(async () => {
    store = await openStore(await place())
    for (let n = 0; n < ROWS; n += 1000) await store.append(events.slice(n, n + 1000))
    const find = (query: EventQuery) => {
      asked.push(query)
      return asked.length > failAfter ? Promise.reject(new Error('gone')) : store.find(query)
    }
    const { web } = await startTestWeb({ store: async () => ({ ...store, find }) })
    port = web.port
  })
  afterAll(() => store.close())

  const open = (query: string): Promise<IncomingMessage> => {
    asked.length = 0
    const path = `/api/v1/events/export${query}`
    return new Promise((resolve, reject) => {
      httpGet({ port, path, headers: { authorization: `Bearer ${TOKEN}` } }, resolve).on('error', reject)
    })
  }
  const textOf = async (response: IncomingMessage): Promise<string> => {
    const parts: Buffer[] = []
    for await (const part of response) parts.push(part as Buffer)
    return Buffer.concat(parts).toString()
  }

  describe('an export of events', () => {
    it('has all that fit as JSON, newest first', async () => {
      const response = await open('')
      expect(response.headers['content-type']).toMatch(/^application\/json/)
      expect(response.headers['content-disposition']).toContain('events.json')
      expect(JSON.parse(await textOf(response))).toEqual([...events].reverse())
      // the longer the rows, the fewer at once
      expect(asked.every(({ limit = 0 }) => limit <= 1000)).toBe(true)
      expect(asked.length).toBeGreaterThan(25)
    })

    it('has all that fit as CSV, that no spreadsheet runs', async () => {
      const response = await open('?format=csv')
      expect(response.headers['content-type']).toMatch(/^text\/csv/)
      expect(response.headers['content-disposition']).toContain('events.csv')
      const [head, ...rows] = (await textOf(response)).split('\r\n')
      expect(head).toBe('id,time,kind,severity,type,nickname,node,epoch,source,message,data,key')
      expect(rows.pop()).toBe('')
      expect(rows.map((row) => row.slice(0, row.indexOf(',')))).toEqual(events.map(({ id }) => id).reverse())
      expect(rows[1]).toContain(`,"'=1+1, ""quoted""\nsecond line",`)
    })

    it('has only what fits, and nothing where nothing does', async () => {
      const since = events[10_000]?.time ?? 0
      const fitting = events.filter(({ kind, time }) => kind === 'started' && time >= since)
      const query = `kind=started&since=${since}`
      expect(JSON.parse(await textOf(await open(`?${query}`)))).toEqual(fitting.reverse())
      expect(JSON.parse(await textOf(await open('?kind=nothing')))).toEqual([])
      expect((await textOf(await open('?kind=nothing&format=csv'))).split('\r\n')).toHaveLength(2)
      expect((await open('?limit=5')).statusCode).toBe(400)
    })

    it('is read no faster than it is taken, and no further when whoever took it is gone', async () => {
      const response = await open('')
      let before = -1
      const isSteady = () => {
        const same = before === asked.length
        before = asked.length
        return same
      }
      await until(isSteady, { everyMs: 500 })
      const read = asked.reduce((sum, { limit = 0 }) => sum + limit, 0)
      expect(read).toBeLessThan(ROWS / 2) // the system's buffers take some megabytes
      response.destroy()
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect(asked.length).toBeLessThanOrEqual(before + 1)
    })

    it('breaks off where the event store fails in the midst, and is an error where it does at once', async () => {
      failAfter = 3
      await expect(open('').then(textOf)).rejects.toMatchObject({ code: 'ECONNRESET' })
      failAfter = 0
      expect((await open('')).statusCode).toBe(500)
      failAfter = Number.POSITIVE_INFINITY
    })

    it('is one of five at most', async () => {
      const responses: IncomingMessage[] = []
      for (let n = 0; n < 6; n++) responses.push(await open(''))
      expect(responses.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200, 200, 429])
      expect(JSON.parse(await textOf(responses.pop() as IncomingMessage)).code).toBe('RATE_LIMITED')
      for (const response of responses) response.destroy()
      await until(async () => {
        const response = await open('?kind=nothing')
        response.resume()
        return response.statusCode === 200
      })
    })
  })
}
