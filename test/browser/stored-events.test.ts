import type { Page } from 'playwright-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StoredEvent } from '../../src/store/types.js'
import { launchChromium } from '../helpers/chromium.js'
import { until } from '../helpers/until.js'
import { startTestWeb, storedEvent, workerView } from '../web/fixture.js'
import { openPage } from './fleet.js'

const browser = await launchChromium()
const { web, fake } = await startTestWeb()
const { find } = fake.store
fake.workers.set('x', workerView({ nickname: 'x' }))
let count = 0
const event = (message: string, change: Partial<StoredEvent> = {}) => {
  const time = change.time ?? Date.now()
  return storedEvent({ id: `${time}-${count++}`, time, kind: 'crashed', nickname: 'x', source: '', message, ...change })
}
const alerts = (n: number) => Array.from({ length: n }, (_, i) => event(`alert ${i}`, { kind: 'alert', nickname: 'y' }))
const tell = (...events: StoredEvent[]) => {
  for (const one of events) fake.tell('event', one)
}
beforeEach(() => {
  fake.store.find = find
  fake.events = [event('begun', { kind: 'started', time: Date.now() - 60_000 })]
})

let closing = async () => {}
afterEach(() => closing())

/** So that the test can let the page hear what it wants. */
const OVERHEARD = `globalThis.EventSource = class extends EventSource {
  constructor(url) {
    super(url)
    if (url.endsWith('v1/stream')) globalThis.source = this
    this.addEventListener('snapshot', ({ data }) => { globalThis.snapshot ??= JSON.parse(data) })
  }
}`
async function open(view: string) {
  const { page, close } = await openPage(browser, web.url)
  closing = close
  await page.addInitScript(OVERHEARD)
  await page.clock.install()
  await page.goto('about:blank')
  await page.goto(`${web.publicUrl}#/${view}`)
  await page.getByText('live', { exact: true }).first().waitFor()
  return page
}
const listed = (page: Page, text: string) => page.locator('.events').getByText(text).first()
const show = (page: Page, shown: boolean) =>
  page.evaluate(`{
    Object.defineProperty(document, 'hidden', { value: ${!shown}, configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
  }`)
/** For so long that the page lets its stream go. */
async function leave(page: Page) {
  await show(page, false)
  await page.clock.fastForward(11_000)
  await until(() => fake.watchers.size === 0, { what: 'a stream that is let go' })
}

describe.each(['events?kind=crashed', 'worker/x'])('what is listed at #/%s', (view) => {
  it('stays, whatever else comes', async () => {
    const page = await open(view)
    tell(event('it broke'))
    const broke = listed(page, 'it broke')
    await broke.waitFor()
    tell(...alerts(201), event('again'))
    await listed(page, 'again').waitFor()
    expect(await broke.isVisible()).toBe(true)
    if (view === 'worker/x') expect(await page.locator('.life figcaption').textContent()).toBe('1 run, 1 crashed')
  })

  it('is whole again after the stream has left some out', async () => {
    const page = await open(view)
    tell(event('it broke'))
    await listed(page, 'it broke').waitFor()
    const leftOut = event('left out')
    // only who asks for kinds is given it: the stream does not bring it
    fake.store.find = async (query) => [...(query.kind ? [leftOut] : []), ...(await find(query))]
    const events = JSON.stringify(alerts(100).reverse())
    await page.evaluate(
      `source.dispatchEvent(new MessageEvent('snapshot', { data: JSON.stringify({ ...snapshot, events: ${events} }) }))`,
    )
    await listed(page, 'left out').waitFor()
    expect(await listed(page, 'it broke').isVisible()).toBe(true)
  })

  it('comes by itself where the event store has failed once', async () => {
    let asked = 0
    fake.store.find = async (query) => {
      if (query.kind && ++asked === 1) throw new Error('away')
      return find(query)
    }
    fake.events.unshift(event('it broke'))
    const page = await open(view)
    await until(() => asked > 0)
    await listed(page, 'it broke').waitFor()
    expect(await page.locator('.form-error').count()).toBe(0)
  })

  it('keeps what was opened of it when the page was hidden for a while', async () => {
    fake.events.unshift(event('it broke', { data: { why: 'of no use' } }))
    const page = await open(view)
    await listed(page, 'Details').click()
    await listed(page, 'of no use').waitFor()
    await page.evaluate(`document.querySelector('details').mark = 'the same'`)
    await leave(page)
    fake.events.unshift(event('meanwhile'))
    await show(page, true)
    await listed(page, 'meanwhile').waitFor()
    expect(await listed(page, 'of no use').isVisible()).toBe(true)
    expect(await page.evaluate(`document.querySelector('details[open]').mark`)).toBe('the same')
  })
})

describe('the chart of events', () => {
  const { countByTime } = fake.store
  let counted = 0
  beforeEach(() => {
    counted = 0
    fake.store.countByTime = (query) => {
      counted++
      return countByTime(query)
    }
  })
  afterEach(() => {
    fake.store.countByTime = countByTime
  })

  it('counts what comes by itself, and asks the store anew rarely', async () => {
    const old = Array.from({ length: 5 }, (_, i) =>
      event('old', { kind: 'alert', time: Date.now() - 60_000 * (i + 1) }),
    )
    fake.events = [event('another', { kind: 'crashed', time: Date.now() - 20_000 }), ...old]
    const page = await open('events?type=SshGuard')
    await page.getByText('5 in all').waitFor()
    const further = alerts(7)
    tell(...further, event('it broke'), event('of another type', { kind: 'alert', type: 'Demo' }))
    await page.getByText('12 in all').waitFor()
    expect(counted).toBe(1)
    fake.events.unshift(...further.reverse())
    await page.clock.fastForward(150_000) // more than a tenth of a bar
    await until(() => counted > 1)
    await page.getByText('12 in all').waitFor()
  })

  it('is not counted again where its end is past', async () => {
    fake.events = [event('old', { kind: 'alert', time: Date.now() - 600_000 })]
    const page = await open(`events?until=${new Date(Date.now() - 60_000).toISOString()}`)
    await page.getByText('1 in all').waitFor()
    tell(...alerts(3))
    await leave(page)
    fake.events.unshift(event('meanwhile', { time: Date.now() - 300_000 }))
    await show(page, true)
    await listed(page, 'meanwhile').waitFor()
    await page.clock.fastForward(5_000)
    await page.getByText('1 in all').waitFor()
    expect(counted).toBe(1)
  })

  it('comes by itself where the event store has failed once', async () => {
    fake.store.countByTime = async (query) => {
      if (++counted === 1) throw new Error('away')
      return countByTime(query)
    }
    const page = await open('events')
    await page.getByText('Something unexpected went wrong').waitFor()
    await page.getByText(/\d in all/).waitFor()
    await page.getByText('Something unexpected went wrong').waitFor({ state: 'detached' })
  })
})
