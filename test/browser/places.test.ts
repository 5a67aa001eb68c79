import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { launchChromium } from '../helpers/chromium.js'
import { until } from '../helpers/until.js'
import { startTestWeb, workerView } from '../web/fixture.js'
import { openPage, picture } from './fleet.js'

const browser = await launchChromium()

for (const count of [100, 2000]) {
  it(`a worker opened from a list of ${count} is seen from its top, and back the list is where it was`, async () => {
    const { web, fake } = await startTestWeb()
    for (let i = 0; i < count; i++) {
      const nickname = `worker-${String(i).padStart(4, '0')}`
      fake.workers.set(nickname, workerView({ nickname, foreign: true })) // not judged, though it never beats
    }
    const { page, wrong, close } = await openPage(browser, web.url)
    await page.locator('tr[data-nickname]').first().waitFor()
    await page.evaluate('scrollTo(0, 3000)')
    const link = page.getByRole('link', { name: 'worker-0050', exact: true })
    await until(() => inSight(page, 'tr[data-nickname="worker-0050"]'))
    const row = page.locator('tr[data-nickname="worker-0050"]')
    const before = (await row.boundingBox())?.y ?? 0
    await link.click()
    await page.getByRole('heading', { name: 'worker-0050' }).waitFor()
    expect(await inSight(page, 'h2#worker')).toBe(true)
    expect(await page.evaluate('document.activeElement.id')).toBe('main')
    await picture(page, 'opened')

    await page.evaluate('scrollTo(0, 200)')
    await page.goBack()
    await row.waitFor()
    expect(Math.abs(((await row.boundingBox())?.y ?? -1000) - before)).toBeLessThan(30)
    expect(await page.evaluate("document.activeElement.closest('main') !== null")).toBe(true)
    await page.goForward()
    await page.getByRole('heading', { name: 'worker-0050' }).waitFor()
    expect(await page.evaluate('scrollY')).toBe(200)

    await page.keyboard.press('1') // anew, not back
    await page.locator('#search').waitFor()
    expect(await page.evaluate('scrollY')).toBe(0)
    expect(wrong).toEqual([])
    await close()
  })
}

it('a filter moves neither the page nor the focus, and a search asked for elsewhere has the focus', async () => {
  const { web, fake } = await startTestWeb()
  for (let i = 0; i < 100; i++) fake.workers.set(`w-${i}`, workerView({ nickname: `w-${i}`, foreign: true }))
  const { page, close } = await openPage(browser, web.url)
  await page.locator('tr[data-nickname]').first().waitFor()
  await page.evaluate('scrollTo(0, 100)')
  const status = page.getByLabel('Status', { exact: true })
  await status.focus()
  await status.selectOption('running')
  await until(() => page.url().includes('status=running'))
  expect(await page.evaluate('[scrollY, document.activeElement.ariaLabel]')).toEqual([100, 'Status'])
  await page.keyboard.press('Escape')
  await page.evaluate('document.activeElement.blur()')
  await page.keyboard.press('4')
  await page.getByRole('heading', { name: 'Events', exact: true }).waitFor()
  await page.keyboard.press('/')
  await until(() => page.evaluate("document.activeElement.id === 'search'"))
  await close()
})

const inSight = (page: Page, selector: string) =>
  page.evaluate<boolean>(`(() => {
    const box = document.querySelector(${JSON.stringify(selector)})?.getBoundingClientRect()
    return box !== undefined && box.top >= 0 && box.bottom <= innerHeight
  })()`)
