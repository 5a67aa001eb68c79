import type { Page } from 'playwright-core'
import { afterAll, expect, it } from 'vitest'
import { launchChromium } from '../helpers/chromium.js'
import { until } from '../helpers/until.js'
import { startTestWeb } from '../web/fixture.js'
import { beatOn, fillFleet, openPage } from './fleet.js'

const browser = await launchChromium()
const { web, fake } = await startTestWeb()
fillFleet(fake)
const beating = beatOn(fake)
afterAll(() => beating.stop())

/** Times that are not local with UTC on hover, in words; what workers wrote is theirs. */
const WRONG = `(() => {
  const wrong = []
  for (const time of document.querySelectorAll('time')) {
    const world = new Date(time.dateTime).toISOString().slice(0, 19).replace('T', ' ') + ' UTC'
    if (time.title !== world) wrong.push('on hover: ' + time.outerHTML)
    const clock = /\\d\\d:\\d\\d:\\d\\d$/.exec(time.textContent)
    const local = new Date(time.dateTime).toLocaleTimeString('en-GB', { timeZone: 'Asia/Shanghai' })
    if (clock && clock[0] !== local) wrong.push('not local: ' + time.outerHTML)
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (texts.nextNode()) {
    const { data, parentElement: of } = texts.currentNode
    if (!/\\d\\d:\\d\\d/.test(data) || of.closest('time, pre, .line, .what > span, .cause')) continue
    if (of.tagName !== 'title' || !/UTC$/.test(data)) wrong.push('no hover: ' + data)
  }
  return wrong
})()`

it('every view shows times local, and UTC on hover', async () => {
  fake.lines = [
    {
      ...{ id: '1-0', time: Date.now(), level: 'info', type: 'SshGuard', nickname: 'gate-1', epoch: 1 },
      ...{ msg: 'a line', stream: 'log', fields: {} },
    },
  ]
  let said = false
  fake.client.tail = async function* (channel, { signal }) {
    if (!said) yield { channel, raw: 'a message', time: Date.now() }
    said = true
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  }
  const [node] = fake.nodes
  if (node) Object.assign(node, { problems: ['Trouble'], problems_since: { Trouble: Date.now() / 1000 - 90_000 } })
  const { page, close } = await openPage(browser, web.url, { timezoneId: 'Asia/Shanghai' })
  /** Part of the view that has a time, and at least how many there are. */
  const VIEWS: [view: string, parts: string[]][] = [
    ['fleet', ['.problems .since time', '.events time', 'td[data-label="Heartbeat"] time']],
    ['worker/gate-1', ['.facts time', '.chart .ends time', '.life .ends time', '.line time', '.events time']],
    ['worker/Monitor', ['.facts time']],
    ['flow?tap=TestWeb.Worker.FollowLog.auth-log.Pub', ['.line time']],
    ['nodes', ['.cards .facts time', '.form-error time']],
    ['events', ['.bars figcaption time:nth-of-type(2)', '.events time']],
  ]
  for (const [view, parts] of VIEWS) {
    await page.evaluate(`location.hash = '#/${view}'`)
    for (const part of parts) await page.locator(part).first().waitFor()
    expect(await page.evaluate(WRONG), view).toEqual([])
  }
  expect(await titles(page, '.bars title')).toMatch(/^\d+ from .*, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/)
  await page.evaluate(`location.hash = '#/worker/gate-1'`)
  await page.locator('.life title').first().waitFor({ state: 'attached' })
  expect(await titles(page, '.life title')).toMatch(/\n\d{4}-.* UTC to \d{4}-.* UTC$/)

  await web.close()
  await page.getByText(/as of \d\d:\d\d:\d\d, reconnecting/).waitFor()
  await until(async () => (await page.locator('.link time').count()) === 1)
  expect(await page.evaluate(WRONG), 'without a connection').toEqual([])
  await close()
})

const titles = async (page: Page, what: string) => (await page.locator(what).first().textContent()) ?? ''
