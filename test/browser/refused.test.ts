import { get as httpGet, type IncomingMessage } from 'node:http'
import { afterAll, expect, it } from 'vitest'
import { MOST_PAGES } from '../../src/web/stream.js'
import { launchChromium } from '../helpers/chromium.js'
import { until } from '../helpers/until.js'
import { startTestWeb, TOKEN } from '../web/fixture.js'
import { openPage, picture } from './fleet.js'

const browser = await launchChromium()
const open = new Set<IncomingMessage>()
afterAll(() => {
  for (const response of open) response.destroy()
})

it('a tap that is not allowed says why, asks no more, and has no button', async () => {
  const { web, fake } = await startTestWeb()
  const own = 'TestWeb.Worker.Demo.DemoName.Fb'
  fake.flows.push({ from: own, to: 'DemoName', channel: own, by: [], published: 5, lost: 0 })
  const { page, close } = await openPage(browser, web.url)
  await page.clock.install()
  let asked = 0
  page.on('request', (request) => request.url().includes('/tap?') && asked++)
  await page.evaluate("location.hash = '#/flow?tap=HySAS'")
  await page.getByText('That is not allowed: only channels that a worker publishes to or hears').waitFor()
  await page.locator('.channels').getByText(own).waitFor()
  expect(await page.getByRole('button', { name: `Tap ${own}` }).count()).toBe(0)
  await picture(page, 'tap-refused')
  const before = asked
  expect(before).toBeLessThanOrEqual(2)
  await page.clock.runFor(30_000)
  await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
  await page.clock.runFor(3_000)
  expect(asked).toBe(before)
  await page.getByRole('button', { name: 'Close the tap' }).click()
  await page.getByRole('button', { name: 'Tap TestWeb.Worker.Demo.DemoName.Pub' }).click()
  await page.locator('.section-head').getByText('live', { exact: true }).waitFor()
  expect(await page.getByText('That is not allowed').count()).toBe(0)
  await close()
})

it('a page for which there is no room says why, waits as long as it is told, and comes back by itself', async () => {
  const { web, fake } = await startTestWeb()
  const { page, close } = await openPage(browser, web.url)
  await page.clock.install()
  await page.goto('about:blank')
  await until(() => fake.watchers.size === 0)
  await Promise.all(Array.from({ length: MOST_PAGES }, () => ask(web.port)))
  let asked = 0
  page.on('request', (request) => request.url().endsWith('/stream') && asked++)
  await page.goto(web.publicUrl)
  await page.clock.runFor(2_500)
  await page.getByText('Too many requests').waitFor()
  await picture(page, 'page-refused')
  const before = asked
  await page.clock.runFor(5_000)
  expect(asked).toBe(before)
  for (const response of open) response.destroy()
  await until(() => fake.watchers.size === 0)
  await page.clock.runFor(8_000)
  await page.getByText('live', { exact: true }).waitFor()
  await close()
})

async function ask(port: number): Promise<void> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { authorization: `Bearer ${TOKEN}` }
    httpGet({ port, path: '/api/v1/stream', headers }, resolve).on('error', reject)
  })
  open.add(response)
  response.on('error', () => {}).resume()
}
