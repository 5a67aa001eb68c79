import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { beforeEach, expect, it } from 'vitest'
import { launchChromium } from '../helpers/chromium.js'
import { until } from '../helpers/until.js'
import { startTestWeb, storedEvent } from '../web/fixture.js'
import { openPage, picture } from './fleet.js'

const MINUTE = 60_000
const browser = await launchChromium()
const { web, fake } = await startTestWeb()
const base = Math.floor(Date.now() / MINUTE) * MINUTE - 180 * MINUTE + 7000
/** One a minute, backwards from `base`: every tenth a crash, every second of gate-1. */
const events = Array.from({ length: 130 }, (_, i) =>
  storedEvent({
    ...{ id: `${base - i * MINUTE}-0`, time: base - i * MINUTE, kind: i % 10 ? 'alert' : 'crashed' },
    ...{ nickname: i % 2 ? 'gate-1' : 'gate-2', type: i % 2 ? 'SshGuard' : 'Demo' },
    message: `event number ${i}, "quoted"`,
  }),
)
beforeEach(() => {
  fake.events = [...events]
})

const ago = (minutes: number) => base - minutes * MINUTE
const iso = (ms: number) => new Date(ms).toISOString().replace('.000', '')
/** What a browser in Shanghai has in an input of that time. */
const inShanghai = (ms: number) => new Date(ms + 8 * 60 * MINUTE).toISOString().slice(0, 19)
const queryOf = (page: Page) => Object.fromEntries(new URLSearchParams(page.url().split('?')[1]))

it('events are listed, drawn, paged and exported by one filter of time, kind, type and nickname, which is in the address', async () => {
  const { page, wrong, close } = await openPage(browser, web.url, { timezoneId: 'Asia/Shanghai' })
  await page.getByRole('link', { name: 'Events', exact: true }).click()
  const rows = page.locator('.events li')
  const shown = (n: number) => until(async () => (await rows.count()) === n, { what: `${n} rows` })
  await shown(100)
  await page.getByLabel('From').fill(inShanghai(ago(119)))
  await page.getByLabel('To', { exact: true }).fill(inShanghai(ago(10)))
  await until(async () => /event number 10,/.test((await rows.first().textContent()) ?? ''), { what: 'the end' })
  expect(queryOf(page)).toEqual({ since: iso(ago(119)), until: iso(ago(10)) })
  const hover = iso(ago(119)).replace('T', ' ').replace('Z', ' UTC')
  expect(await page.locator('.moment').first().getAttribute('title')).toBe(hover)
  await page.getByText('99 in all').waitFor() // of 110 eleven are crashes
  await shown(100)
  await page.getByRole('button', { name: 'Older' }).click()
  await shown(10)
  await page.getByLabel('Type').selectOption('SshGuard')
  await shown(55)
  await page.getByLabel('Nickname').fill('gate-1')
  await page.keyboard.press('Enter')
  await page.getByLabel('Kind').selectOption('alert')
  await until(() => queryOf(page).kind === 'alert' && queryOf(page).nickname === 'gate-1')
  await picture(page, 'events-filtered')
  await page.reload()
  await shown(55)
  expect(await page.getByLabel('From').inputValue()).toBe(inShanghai(ago(119)))

  const wanted = events.filter((_, i) => i >= 10 && i <= 119 && i % 2).map(({ id }) => id)
  const saved = async (name: string) => {
    const link = page.getByRole('link', { name, exact: true })
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()])
    expect(download.suggestedFilename()).toBe(`events.${name.toLowerCase()}`)
    return readFileSync(await download.path(), 'utf8')
  }
  const json = JSON.parse(await saved('JSON')) as { id: string }[]
  expect(json.map(({ id }) => id)).toEqual(wanted)
  const [head, ...lines] = (await saved('CSV')).trim().split('\r\n')
  expect(head).toMatch(/^id,time,kind,severity,type,nickname/)
  expect(lines.map((text) => text.split(',')[0])).toEqual(wanted)
  expect(lines[0]).toContain('"event number 11, ""quoted"""')

  fake.tell('event', storedEvent({ id: '9990000000000-0', time: Date.now(), kind: 'of_my_own', type: 'Gone' }))
  await page.locator('option[value="of_my_own"]').waitFor({ state: 'attached' })
  await page.locator('option[value="Gone"]').waitFor({ state: 'attached' })
  await page.getByLabel('To', { exact: true }).fill(inShanghai(ago(200)))
  await page.getByText('“From” is later than “To”').waitFor()
  await page.getByRole('button', { name: 'Show all' }).click()
  await shown(100)
  expect(queryOf(page)).toEqual({})
  expect(wrong).toEqual([])
  await close()
})

it('a time can be typed digit by digit, and an event outside of it is not added', async () => {
  const { page, close } = await openPage(browser, web.url)
  await page.getByRole('link', { name: 'Events', exact: true }).click()
  await page.locator('.events li').first().waitFor()
  const from = page.getByLabel('From')
  await from.focus()
  await page.keyboard.type('02032025') // as the browser's language has it
  await page.keyboard.type('101112AM')
  expect(await from.inputValue()).toBe('2025-02-03T10:11:12')
  await until(() => queryOf(page).since?.startsWith('2025-02-0'), { what: 'the time in the address' })
  await page.getByLabel('To', { exact: true }).fill('2025-02-04T10:11:12')
  await page.getByText('No event fits.').waitFor()
  fake.tell('event', storedEvent({ id: `${Date.now()}-5`, time: Date.now(), message: 'Outside of it' }))
  await page.getByRole('link', { name: 'Fleet' }).click()
  await page.getByText('Outside of it').waitFor()
  await page.goBack()
  await page.getByText('No event fits.').waitFor()
  await close()
})

it('a name typed slowly is not wiped while the page is drawn anew, and counts with Enter', async () => {
  const { page, close } = await openPage(browser, web.url)
  await page.getByRole('link', { name: 'Events', exact: true }).click()
  await page.locator('.events li').first().waitFor()
  const source = page.getByLabel('Source')
  await source.pressSequentially('203.0.113.9', { delay: 150 }) // the page is drawn each second
  expect(await source.inputValue()).toBe('203.0.113.9')
  expect(queryOf(page)).toEqual({})
  await source.press('Enter')
  await until(() => queryOf(page).source === '203.0.113.9', { what: 'the source in the address' })
  await page.getByRole('button', { name: 'Show all' }).click()
  await until(async () => (await source.inputValue()) === '', { what: 'an empty field' })
  await close()
})
