import { afterAll, describe, expect, it } from 'vitest'
import { launchChromium } from '../helpers/chromium.js'
import { until } from '../helpers/until.js'
import { nodeView, startTestWeb, workerView } from '../web/fixture.js'
import { openPage } from './fleet.js'

const browser = await launchChromium()
const { web, fake } = await startTestWeb()
const channel = 'TestWeb.Worker.Type0.worker-0000.Pub'
fake.nodes = [0, 1, 2, 3].map((i) => nodeView({ name: `node-${i}`, workers: 500 }))
for (let i = 0; i < 2000; i++) {
  const nickname = `worker-${String(i).padStart(4, '0')}`
  const of = { nickname, type: `Type${i % 8}`, node: `node-${i % 4}`, data_feeder: [channel] }
  fake.workers.set(nickname, workerView(of))
}
fake.flows = [...fake.workers.keys()].map((to) => ({
  ...{ from: 'worker-0000', to, channel, by: ['worker-0000'], published: 10, lost: 0 },
}))
const beats = setInterval(() => {
  for (const worker of fake.workers.values()) {
    worker.published += 5
    worker.heart_beat = Date.now() / 1000
    fake.tell('beat', { ...worker })
  }
}, 1000)
afterAll(() => clearInterval(beats))

/** Scrolls `frames` frames, `step` pixels each; what is in the table after every one, once it has been painted. */
const scrolling = (frames: number, step: number) => `new Promise((resolve) => {
  const seen = { empty: 0, most: 0, least: Infinity, times: [] }
  let frame = 0
  const look = (time) => {
    seen.times.push(time)
    if (seen.times.length <= ${frames}) requestAnimationFrame(look)
    setTimeout(() => {
      const all = [...document.querySelectorAll('tr[data-nickname]')].map((row) => row.getBoundingClientRect())
      const inSight = all.filter(({ top, bottom }) => bottom > 0 && top < innerHeight)
      const table = document.querySelector('tbody').getBoundingClientRect().top < innerHeight - 200
      if (table && inSight.length === 0) seen.empty++
      seen.most = Math.max(seen.most, all.length)
      if (frame++ === ${frames}) resolve({ ...seen, at: scrollY, inSight: inSight.length })
      scrollTo(0, frame * ${step})
    })
  }
  requestAnimationFrame(look)
})`
interface Seen {
  empty: number
  most: number
  times: number[]
  at: number
  inSight: number
}

describe('2,000 workers that beat every second', () => {
  it('scroll with few rows in the document and at no frame an empty table; how long frames take is told', async () => {
    const { page, wrong, close } = await openPage(browser, web.url)
    await page.locator('tr[data-nickname]').first().waitFor()
    await page.getByText('2,001').first().waitFor()
    await page.evaluate(scrolling(60, 150)) // what runs for the first time is compiled
    const cdp = await page.context().newCDPSession(page)
    await cdp.send('Performance.enable', { timeDomain: 'threadTicks' })
    const busy = async () =>
      (await cdp.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0
    const before = await busy()
    const { empty, most, times, at, inSight } = await page.evaluate<Seen>(scrolling(200, 150))
    const each = (((await busy()) - before) * 1000) / times.length
    const took = times.slice(1).map((time, i) => time - (times[i] ?? 0))
    const sorted = took.toSorted((a, b) => a - b)
    const part = (of: number) => sorted[Math.floor(of * (sorted.length - 1))]?.toFixed(1)
    const told = `p50 ${part(0.5)} ms, p95 ${part(0.95)} ms, max ${part(1)} ms`
    console.log(
      `frames while scrolling 2,000 workers: ${told}; the page's own thread took ${each.toFixed(1)} ms of each`,
    )
    expect(at).toBe(30_000)
    expect(empty).toBe(0)
    expect(most).toBeLessThan(60)
    expect(inSight).toBeGreaterThan(8)
    await page.screenshot({ path: 'test-results/many.png' })
    expect(wrong).toEqual([])
    await close()
  })

  it('are found at once, and are drawn by type in the graph', async () => {
    const { page, close } = await openPage(browser, web.url)
    await page.locator('tr[data-nickname]').first().waitFor()
    await page.getByLabel('Search workers').fill('worker-1999')
    await until(async () => (await page.locator('tr[data-nickname]').count()) === 1)
    await page.evaluate(`location.hash = '#/flow'`)
    await until(async () => (await page.locator('.part.type').count()) >= 8)
    await close()
  })
})
