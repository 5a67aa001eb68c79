import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { afterAll, describe, expect, it } from 'vitest'
import { HysasError } from '../../src/errors.js'
import { launchChromium } from '../helpers/chromium.js'
import { startTestWeb, TOKEN, VIEWER } from '../web/fixture.js'
import { beatOn, fillFleet, openPage, picture } from './fleet.js'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const browser = await launchChromium()
const { web, fake } = await startTestWeb()
fillFleet(fake)
const beating = beatOn(fake)
afterAll(() => beating.stop())

/** What axe finds against WCAG 2.2 AA and good practice, in words. */
async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(AXE)
  return page.evaluate(`axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})
    .then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 120)).join(' | ')))`)
}

describe.each(['light', 'dark'] as const)('in the %s axe finds nothing wrong with', (colorScheme) => {
  const open = (url = web.url) => openPage(browser, url, { colorScheme, bypassCSP: true })

  it('the page that asks for a token, before and after a wrong one', async () => {
    const { page, close } = await open(web.publicUrl)
    await page.getByText('This page needs a token.').waitFor()
    expect(await faultsOf(page)).toEqual([])
    await page.getByLabel('Token').fill('wrong')
    await page.getByRole('button', { name: 'Enter' }).click()
    await page.getByText('That token is not valid here.').waitFor()
    expect(await faultsOf(page)).toEqual([])
    await picture(page, `login-${colorScheme}`)
    await close()
  })

  it('questions, help, and the message of what became of a command', async () => {
    const { page, close } = await open()
    await page.getByRole('button', { name: 'Stop DemoName' }).click()
    await page.getByRole('dialog', { name: 'Stop DemoName?' }).waitFor()
    expect(await faultsOf(page), 'stop').toEqual([])
    await page.getByRole('button', { name: 'Stop it' }).click()
    await page.getByText('DemoName: stopped').waitFor()
    expect(await faultsOf(page), 'a message').toEqual([])
    fake.failing = new HysasError('UNKNOWN_WORKER', { nickname: 'gate-1', nearest: '' })
    await page.getByRole('button', { name: 'Restart gate-1' }).click()
    await page.getByRole('button', { name: 'Restart it' }).click()
    await page.getByRole('alert').waitFor()
    fake.failing = undefined
    expect(await faultsOf(page), 'a refusal').toEqual([])
    await page.evaluate(`location.hash = '#/worker/DemoName'`)
    await page.getByLabel('Operation', { exact: true }).selectOption('logLevel')
    await page.getByLabel('level needed').selectOption('debug')
    await page.getByRole('button', { name: 'Send logLevel' }).click()
    await page.getByRole('dialog', { name: 'Send logLevel to DemoName?' }).waitFor()
    expect(await faultsOf(page), 'an operation').toEqual([])
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('button', { name: 'Keyboard shortcuts' }).click()
    const help = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
    await help.waitFor()
    expect(await faultsOf(page), 'help').toEqual([])
    await help.getByLabel('Single-key shortcuts').uncheck()
    expect(await faultsOf(page), 'help, switched off').toEqual([])
    await close()
  })

  it('the form of a start that does not fit, and one that is refused', async () => {
    const { page, close } = await open()
    await page.getByRole('button', { name: 'Start a worker' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Type').selectOption('SshGuard')
    await dialog.getByLabel('tries').fill('-1')
    await dialog.getByRole('button', { name: 'Start' }).click()
    await dialog.getByText('The least is 1.').waitFor()
    await picture(page, `start-wrong-${colorScheme}`)
    expect(await faultsOf(page), 'wrong').toEqual([])
    await dialog.getByLabel('tries').fill('3')
    await dialog.getByLabel('file').fill('x')
    await dialog.getByLabel('Nickname').fill('gate-9')
    fake.failing = new HysasError('NAME_TAKEN', { nickname: 'gate-9', type: 'SshGuard', node: 'node-1', since: '' })
    await dialog.getByRole('button', { name: 'Start' }).click()
    await dialog.locator('.form-error').waitFor()
    fake.failing = undefined
    expect(await faultsOf(page), 'refused').toEqual([])
    await close()
  })

  it('the events with a filter that can not fit', async () => {
    const { page, close } = await open()
    await page.evaluate(`location.hash = '#/events?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z'`)
    await page.getByText('“From” is later').waitFor()
    await page.locator('.bars').waitFor()
    expect(await faultsOf(page)).toEqual([])
    await close()
  })

  it('what a viewer sees', async () => {
    const { page, close } = await open(web.url.replace(TOKEN, VIEWER))
    await page.getByText('viewer', { exact: true }).waitFor()
    await page.locator('tr[data-nickname]').first().waitFor()
    expect(await faultsOf(page)).toEqual([])
    await page.evaluate(`location.hash = '#/worker/gate-1'`)
    await page.locator('figure.life').waitFor()
    expect(await faultsOf(page)).toEqual([])
    await close()
  })

  it('every view while the connection is lost', async () => {
    const lost = await startTestWeb()
    fillFleet(lost.fake)
    const { page, close } = await open(lost.web.url)
    await page.locator('tr[data-nickname]').first().waitFor()
    await lost.web.close()
    await page.getByText(/as of \d\d:\d\d:\d\d, reconnecting/).waitFor()
    const problems = () => page.getByRole('region', { name: 'Needs attention' }).textContent()
    const then = await problems()
    for (const view of ['fleet', 'worker/gate-1', 'flow', 'nodes', 'events']) {
      await page.evaluate(`location.hash = '#/${view}'`)
      expect(await faultsOf(page), view).toEqual([])
    }
    // it does not pretend to know that what was wrong has lasted
    await page.waitForTimeout(1100)
    expect(await problems()).toBe(then)
    await picture(page, `lost-${colorScheme}`)
    await close()
  })
})
