import type { Page } from 'playwright-core'
import { afterAll, expect, it } from 'vitest'
import { launchChromium } from '../helpers/chromium.js'
import { until } from '../helpers/until.js'
import { startTestWeb } from '../web/fixture.js'
import { beatOn, fillFleet, openPage, picture } from './fleet.js'

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }
const browser = await launchChromium()
const { web, fake } = await startTestWeb()
fillFleet(fake)
const beating = beatOn(fake)
afterAll(() => beating.stop())

/** What the keyboard can reach and the eye then not see: hidden by a clip, outside of the screen, or below something else. */
const UNSEEN = `(async () => {
  const unseen = []
  const all = document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')
  for (const element of all) {
    element.focus()
    if (document.activeElement !== element) continue // not shown at all, or disabled
    element.scrollIntoView({ block: 'center', inline: 'nearest' })
    await new Promise(requestAnimationFrame)
    // of a link on two lines, each; what is drawn of a link within a drawing lies in it
    const seen = [...element.getClientRects()].some(({ left, top, right, bottom }) => {
      const x = Math.max(0, left) + (Math.min(innerWidth, right) - Math.max(0, left)) * 0.4
      const y = Math.max(0, top) + (Math.min(innerHeight, bottom) - Math.max(0, top)) * 0.4
      return right - left >= 8 && bottom - top >= 8 && element.contains(document.elementFromPoint(x, y))
    })
    if (!seen) unseen.push(element.outerHTML.slice(0, 120))
  }
  return { unseen, reached: all.length }
})()`

const show = async (page: Page, view: string, part: string) => {
  await page.evaluate(`location.hash = '#/${view}'`)
  await page.locator(part).first().waitFor()
}

it('on a phone whatever the keyboard reaches is in sight', async () => {
  const { page, close } = await openPage(browser, web.url, PHONE)
  const unseen = async () => {
    const { unseen, reached } = await page.evaluate<{ unseen: string[]; reached: number }>(UNSEEN)
    expect(reached).toBeGreaterThan(1)
    return unseen
  }
  for (const [view, part] of [
    ['fleet', 'tr[data-nickname]'],
    ['worker/gate-1', 'figure.life'],
    ['flow?tap=TestWeb.Worker.FollowLog.auth-log.Pub', '.part'],
    ['nodes', '.processors li'],
    ['events', '.bars'],
  ] as const) {
    await show(page, view, part)
    expect(await unseen(), view).toEqual([])
  }
  await page.evaluate(`{
    const lost = document.querySelector('nav').appendChild(document.createElement('button'))
    lost.id = 'lost'
    lost.textContent = 'Lost'
    lost.style.clipPath = 'inset(50%)'
  }`)
  expect(await unseen(), 'what would be wrong').toEqual([expect.stringContaining('id="lost"')])
  await close()
})

it('on a phone the list of workers is sorted by a choice of its own', async () => {
  const { page, close } = await openPage(browser, web.url, PHONE)
  await show(page, 'fleet', 'tr[data-nickname]')
  expect(await page.getByRole('button', { name: 'Restarts', exact: true }).count()).toBe(0)
  await page.getByLabel('Order').selectOption({ label: 'Restarts, most first' })
  const first = () => page.locator('tr[data-nickname]').first().getAttribute('data-nickname')
  await until(async () => (await first()) === 'gate-2')
  expect(page.url()).toContain('sort=-restarts')
  await picture(page, 'phone-sorted')
  await page.setViewportSize({ width: 1280, height: 900 })
  expect(await page.getByLabel('Order').isVisible()).toBe(false)
  expect(await page.locator('th[aria-sort="descending"]').textContent()).toContain('Restarts')
  await close()
})

it.each([1280, 1160, 1000, 800])('at %i pixels no cell of the list of workers reaches into the next', async (width) => {
  const { page, close } = await openPage(browser, web.url, { viewport: { width, height: 900 } })
  await until(async () => /\d,\d{3}\/s/.test((await page.locator('table').textContent()) ?? ''), {
    what: 'wide numbers',
  })
  const cells = `[...document.querySelectorAll('table.workers :is(th, td)')].filter((cell) => {
    const all = document.createRange()
    all.selectNodeContents(cell)
    const [of, its] = [all.getBoundingClientRect(), cell.getBoundingClientRect()]
    return its.width > 0 && !['', 'Actions'].includes(cell.textContent) && (of.left < its.left - 1 || of.right > its.right + 1)
  }).map((cell) => cell.textContent)`
  expect(await page.evaluate(cells)).toEqual([])
  await close()
})
