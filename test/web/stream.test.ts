import { get as httpGet, type IncomingMessage } from 'node:http'
import { afterAll, describe, expect, it } from 'vitest'
import { MOST_PAGES } from '../../src/web/stream.js'
import { until } from '../helpers/until.js'
import { startTestWeb, storedEvent, TOKEN, workerView } from './fixture.js'

const open = new Set<IncomingMessage>()
afterAll(() => {
  for (const response of open) response.destroy()
})

/** Bytes per ms, of a line that is ordinary for such a fleet. */
const PER_MS = 3000

interface Frame {
  event: string
  data: unknown
}

async function request(port: number): Promise<IncomingMessage> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { authorization: `Bearer ${TOKEN}` }
    httpGet({ port, path: '/api/v1/stream', headers }, resolve).on('error', reject)
  })
  open.add(response)
  response.on('error', () => {})
  return response
}

/** A page: what it was told, until it leaves. */
async function openPage(port: number) {
  const response = await request(port)
  const frames: Frame[] = []
  let rest = ''
  response.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n\n')
    rest = parts.pop() ?? ''
    for (const part of parts) {
      const [, event = '', data = ''] = /^event: (\w+)\ndata: (.*)$/s.exec(part) ?? []
      frames.push({ event, data: JSON.parse(data) })
    }
  })
  return {
    response,
    frames,
    heard: <T>(event: string, fits: (data: T) => boolean = () => true) =>
      until(() => frames.find((frame) => frame.event === event && fits(frame.data as T)), { what: event }),
  }
}

describe('the stream', () => {
  it('begins with a snapshot and goes on with what changes', async () => {
    const { web, fake } = await startTestWeb()
    const page = await openPage(web.port)
    expect(page.response.headers['content-type']).toMatch(/^text\/event-stream/)
    const { data } = await page.heard('snapshot')
    expect(data).toMatchObject({ fleet: 'TestWeb', node: 'node-1', state: { live: true } })
    expect(data).toMatchObject({ workers: [{ nickname: 'DemoName' }], events: [{ kind: 'alert' }] })

    await until(() => fake.watchers.size === 1)
    const { type, nickname, heart_beat, started_at } = workerView()
    const beat = { type, nickname, started_at, status: 'started', token: 'secret-of-the-run' }
    fake.tell('beat', { ...beat, heart_beat: (heart_beat ?? 0) + 2, published: 120, received: 50 })
    const told = await page.heard<{ changed: { published?: number }[] }>('workers', ({ changed }) =>
      changed.some(({ published }) => published === 120),
    )
    expect(told.data).toMatchObject({ changed: [{ nickname, published: 120, rate_out: 10 }], gone: [] })
    expect(JSON.stringify(page.frames)).not.toContain('secret-of-the-run')

    fake.tell('event', storedEvent({ id: '1790000000001-0', message: 'another' }))
    expect((await page.heard('events')).data).toMatchObject([{ message: 'another' }])

    fake.workers.set('Second', workerView({ nickname: 'Second' }))
    fake.workers.delete('DemoName')
    fake.tell('fleet', {})
    await page.heard<{ gone: string[] }>('workers', ({ gone }) => gone.includes('DemoName'))
    await page.heard('ping')
  })

  it('tells of a worker that falls silent, and of a node that is gone, without being told', async () => {
    const { web, fake } = await startTestWeb()
    fake.workers.set('DemoName', workerView({ age: 0.2 }))
    const page = await openPage(web.port)
    const life = (word: string) =>
      page.heard<{ changed: { life?: string }[] }>('workers', ({ changed }) => changed.some((one) => one.life === word))
    await page.heard('snapshot')
    await life('busy')
    const [node] = fake.nodes.splice(0)
    fake.gone = [{ name: node?.name ?? '', host: 'alpha', workers: 3, heart_beat: 1_790_000_000, age: 5 }]
    expect((await page.heard('gone')).data).toMatchObject([{ name: 'node-1', workers: 3 }])
    await life('cut off')
  })

  it('watches once however many pages are open, and not at all when none is', async () => {
    const { web, fake } = await startTestWeb()
    const pages = await Promise.all([1, 2, 3].map(() => openPage(web.port)))
    for (const page of pages) await page.heard('snapshot')
    await until(() => fake.watchers.size > 0)
    expect(fake.watchers.size).toBe(1)
    for (const { response } of pages) response.destroy()
    await until(() => fake.watchers.size === 0)
  })

  it('says so when Redis is away, and when it is back', async () => {
    const { web, fake } = await startTestWeb()
    const page = await openPage(web.port)
    await page.heard('snapshot')
    fake.failing = new Error('connection lost')
    await page.heard<{ live: boolean }>('state', ({ live }) => !live)
    fake.failing = undefined
    await page.heard<{ live: boolean }>('state', ({ live }) => live)
  })

  it('that begins while Redis is away tells all of the fleet before it says that Redis is back', async () => {
    const { web, fake } = await startTestWeb()
    fake.failing = new Error('connection lost')
    const page = await openPage(web.port)
    expect((await page.heard('snapshot')).data).toMatchObject({ state: { live: false }, workers: [], nodes: [] })
    fake.failing = undefined
    const back = page.frames.indexOf(await page.heard<{ live: boolean }>('state', ({ live }) => live))
    const told = page.frames.slice(0, back)
    expect(told.findLast(({ event }) => event === 'workers')?.data).toMatchObject({
      changed: [{ nickname: 'DemoName' }],
    })
    expect(told.findLast(({ event }) => event === 'nodes')?.data).toMatchObject([{ name: 'node-1' }])
    expect(told.findLast(({ event }) => event === 'types')?.data).toMatchObject([{ type: 'Demo' }])
  })

  it('says that Redis is away until a read succeeds, however the reads overlap', async () => {
    const { web, fake } = await startTestWeb()
    const page = await openPage(web.port)
    await page.heard('snapshot')
    const states = () =>
      page.frames.filter(({ event }) => event === 'state').map(({ data }) => (data as { live: boolean }).live)
    // two reads at once, of which both fail, and flows that are not due while nothing answers
    fake.client.flows = async () => {
      await until(() => fake.failing === undefined, { timeoutMs: 60_000 })
      return fake.flows
    }
    fake.failing = new Error('connection lost')
    fake.tell('fleet', {})
    await page.heard<{ live: boolean }>('state', ({ live }) => !live)
    fake.tell('node', {})
    const pings = page.frames.filter(({ event }) => event === 'ping').length
    await until(() => page.frames.filter(({ event }) => event === 'ping').length > pings, { what: 'a ping' })
    expect(states()).toEqual([false])
    fake.failing = undefined
    await page.heard<{ live: boolean }>('state', ({ live }) => live)
    expect(states()).toEqual([false, true])
  })

  it('brings events that were not heard, once each, after a gap', async () => {
    const { web, fake } = await startTestWeb()
    const page = await openPage(web.port)
    await page.heard('snapshot')
    await until(() => fake.gaps.size === 1)
    const unheard = storedEvent({ id: '1790000000000-2', message: 'unheard' })
    const heard = storedEvent({ id: '1790000000000-11', message: 'heard' })
    fake.events = [heard, unheard, ...fake.events]
    fake.tell('event', heard)
    for (const gap of fake.gaps) gap()
    await page.heard<{ message: string }[]>('events', (events) => events.some(({ message }) => message === 'unheard'))
    const told = page.frames
      .filter(({ event }) => event === 'events')
      .flatMap(({ data }) => data as { message: string }[])
    expect(told.map(({ message }) => message)).toEqual(['heard', 'unheard'])
    const { data } = await (await openPage(web.port)).heard('snapshot')
    const messages = (data as { events: { message: string }[] }).events.map(({ message }) => message)
    expect(messages).toEqual(['heard', 'unheard', 'Password guessing'])
  })

  it('begins without the events where the store is slow, and brings them when it has them', async () => {
    const { web, fake } = await startTestWeb()
    const find = fake.store.find
    let answer = () => {}
    const slow = new Promise<void>((resolve) => {
      answer = resolve
    })
    fake.store.find = (query) => slow.then(() => find(query))
    const page = await openPage(web.port)
    expect((await page.heard('snapshot')).data).toMatchObject({ workers: [{ nickname: 'DemoName' }], events: [] })
    answer()
    expect((await page.heard('events')).data).toMatchObject([{ kind: 'alert' }])
  })

  it('drops a page that does not read to snapshots, and goes on for the others', async () => {
    const { web, fake } = await startTestWeb()
    const slow = await openPage(web.port)
    const quick = await openPage(web.port)
    await slow.heard('snapshot')
    await quick.heard('snapshot')
    await until(() => fake.watchers.size === 1)
    slow.response.pause()
    const message = 'x'.repeat(100_000)
    const count = 150
    const got = () => quick.frames.filter(({ event }) => event === 'events').length
    for (let i = 0; i < count; i++) {
      fake.tell('event', storedEvent({ id: `1790000001000-${i}`, message }))
      await until(() => got() === i + 1, { everyMs: 1 })
    }
    slow.response.resume()
    await until(() => slow.frames.filter(({ event }) => event === 'snapshot').length > 1, { timeoutMs: 20_000 })
    const again = slow.frames.findLastIndex(({ event }) => event === 'snapshot')
    expect(slow.frames[again - 1]).toMatchObject({ event: 'ping', data: { snapshot: expect.any(Number) } })
    expect(slow.frames.filter(({ event }) => event === 'events').length).toBeLessThan(count)
  })

  it('of 2,000 workers brings changes, and no snapshot after the other, to a page on an ordinary line', async () => {
    const { web, fake } = await startTestWeb()
    for (let i = 0; i < 2000; i++) {
      const nickname = `worker-${i}`
      // so much that the system does not take a snapshot at once, as it would on this machine
      fake.workers.set(nickname, workerView({ nickname, error_msg: 'x'.repeat(4000) }))
    }
    const beats = setInterval(() => {
      for (const worker of fake.workers.values()) {
        worker.published += 5
        worker.heart_beat = Date.now() / 1000
        fake.tell('beat', { ...worker })
      }
    }, 500)
    const response = await request(web.port)
    const begun = performance.now()
    let text = ''
    const isAhead = () => text.length > (performance.now() - begun) * PER_MS
    response.setEncoding('latin1').on('data', (more: string) => {
      text += more
      if (isAhead()) response.pause()
    })
    const reading = setInterval(() => isAhead() || response.resume(), 10)
    const count = (event: string) => text.split(`event: ${event}\n`).length - 1
    await until(() => count('workers') > 12 || count('snapshot') > 2, { timeoutMs: 40_000, everyMs: 200 })
    clearInterval(beats)
    clearInterval(reading)
    expect(count('snapshot')).toBeLessThanOrEqual(2)
    response.destroy()
  })

  it('is given to so many pages at most, and to others again when one has gone', async () => {
    const { web } = await startTestWeb()
    const ask = async () => {
      const response = await request(web.port)
      response.resume()
      return response
    }
    const [first] = await Promise.all(Array.from({ length: MOST_PAGES }, ask))
    expect((await ask()).statusCode).toBe(429)
    first?.destroy()
    await until(async () => (await ask()).statusCode === 200)
  })

  it('ends at once with the server', async () => {
    const { web } = await startTestWeb()
    const page = await openPage(web.port)
    await page.heard('snapshot')
    const begun = performance.now()
    const ended = new Promise((resolve) => page.response.once('close', resolve))
    await Promise.all([web.close(), web.close()])
    await ended
    expect(performance.now() - begun).toBeLessThan(1000)
  })
})
