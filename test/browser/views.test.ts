import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { launchChromium } from '../helpers/chromium.js'
import { until } from '../helpers/until.js'
import { startTestWeb, storedEvent } from '../web/fixture.js'
import { beatOn, fillFleet, openPage, picture } from './fleet.js'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const AUTH_LOG = 'TestWeb.Worker.FollowLog.auth-log.Pub'
const browser = await launchChromium()
const { web, fake } = await startTestWeb()
beforeEach(() => fillFleet(fake))
fillFleet(fake)
const beating = beatOn(fake)
afterAll(() => beating.stop())

const show = (page: Page, view: string) => page.evaluate(`location.hash = '#/${view}'`)
async function* untilAborted(_nickname: string, { signal }: { signal: AbortSignal }): AsyncGenerator<never> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}
const line = (id: number, level: 'info' | 'warn', msg: string) => ({
  ...{ id: `${id}-0`, time: Date.now(), level, type: 'SshGuard', nickname: 'gate-1', epoch: 1, msg, stream: 'log' },
  fields: { tries: id },
})

describe('one worker', () => {
  it('has its life, charts, facts and the way to its job, at an address of its own', async () => {
    const { page, wrong, close } = await openPage(browser, web.url)
    await page.getByRole('link', { name: 'gate-1', exact: true }).first().click()
    await page.getByRole('heading', { name: 'gate-1' }).waitFor()
    expect(new URL(page.url()).hash).toBe('#/worker/gate-1')
    await page.getByText('6 runs, 3 crashed').waitFor()
    expect(await page.locator('.lane-name').allTextContents()).toEqual(['node-1', 'node-2'])
    await page.locator('.events li.error summary').first().click()
    await page.getByText('at parse (SshGuard.ts:88:21)').first().waitFor()
    const job = page.getByRole('link', { name: 'job w-gate-1.1' })
    expect(await job.getAttribute('href')).toBe('queues/queue/SshGuard/w-gate-1.1')
    await page.getByText('"windowSeconds": 60').waitFor()
    await until(
      async () => ((await page.locator('.chart polyline').first().getAttribute('points')) ?? '').split(' ').length > 3,
    )
    await page.reload()
    await page.getByRole('heading', { name: 'gate-1' }).waitFor()
    await page.getByRole('link', { name: 'auth-log' }).first().click()
    await page.getByRole('heading', { name: 'auth-log' }).waitFor()
    await page.goBack()
    await page.getByRole('heading', { name: 'gate-1' }).waitFor()
    await picture(page, 'worker')
    expect(wrong).toEqual([])
    await close()
  })

  it('shows its log as it is written, by level, and can be paused', async () => {
    fake.lines = [line(1, 'info', 'quiet'), line(2, 'warn', '\u001b[31mloud\u001b[0m')]
    let next: (msg: string) => void = () => {}
    let drop: (lines: number) => void = () => {}
    fake.client.followLogs = async function* (_nickname, { signal, dropped }) {
      drop = dropped ?? drop
      for (let id = 3; !signal.aborted; id++) {
        const msg = await new Promise<string>((resolve) => {
          next = resolve
          signal.addEventListener('abort', () => resolve(''), { once: true })
        })
        if (msg) yield line(id, 'info', msg)
      }
    }
    const { page, close } = await openPage(browser, `${web.url}#/worker/gate-1`)
    await show(page, 'worker/gate-1')
    const log = page.getByRole('region', { name: 'Log of gate-1' })
    await log.getByText('loud {"tries":2}').waitFor()
    next('just now')
    await log.getByText('just now').waitFor()
    drop(7)
    drop(5)
    await page.getByText('live, 12 came too fast and are missing').waitFor()
    await page.getByLabel('Least level').selectOption('warn')
    await until(async () => (await log.locator('.line').count()) === 1)
    expect(page.url()).toContain('level=warn')
    await page.getByLabel('Least level').selectOption('')
    await log.getByText('quiet').waitFor()
    await page.getByRole('button', { name: 'Pause' }).click()
    next('meanwhile')
    await page.getByText('paused, 1 new').waitFor()
    expect(await log.getByText('meanwhile').count()).toBe(0)
    await page.getByRole('button', { name: 'Go on' }).click()
    await log.getByText('meanwhile').waitFor()
    await close()
  })

  it('shows the lines of a level however many others came after them, beginning anew with each choice', async () => {
    const others = Array.from({ length: 400 }, (_, i) => line(i + 2, 'info', `line ${i}`))
    fake.lines = [line(1, 'warn', 'a warning'), ...others]
    fake.client.followLogs = untilAborted
    const { page, close } = await openPage(browser, web.url)
    await show(page, 'worker/gate-1?level=warn')
    const log = page.getByRole('region', { name: 'Log of gate-1' })
    await log.getByText('a warning').waitFor()
    expect(await log.locator('.line').count()).toBe(1)
    await picture(page, 'log-level')
    await page.getByLabel('Least level').selectOption('')
    await log.getByText('line 399').waitFor()
    expect(await log.getByText('a warning').count()).toBe(0)
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByLabel('Least level').selectOption('error')
    await page.getByText('No line of that level.').waitFor()
    await page.getByRole('button', { name: 'Pause' }).waitFor() // it goes on
    await close()
  })

  it('is sent operations by the form of their arguments, and shows what they return', async () => {
    const [demo] = fake.types
    if (demo) {
      const limit = { type: 'integer', minimum: 1 }
      demo.operations = {
        top: { description: 'The most', args: { type: 'object', required: ['limit'], properties: { limit } } },
      }
    }
    const { page, close } = await openPage(browser, web.url)
    await show(page, 'worker/DemoName')
    await page.getByRole('button', { name: 'Send top' }).click()
    await page.getByText('This is needed.').waitFor()
    await page.getByLabel('limit needed').fill('3')
    const before = fake.commands.length
    await page.getByRole('button', { name: 'Send top' }).click()
    const question = page.getByRole('dialog', { name: 'Send top to DemoName?' })
    await question.getByText('"limit": 3').waitFor()
    await picture(page, 'operation')
    await question.getByRole('button', { name: 'Cancel' }).click()
    await question.waitFor({ state: 'detached' })
    expect(fake.commands.length).toBe(before)
    await page.getByRole('button', { name: 'Send top' }).click()
    await question.getByRole('button', { name: 'Send it' }).click()
    await page.getByText('"echoed"').waitFor()
    const worker = fake.workers.get('DemoName')
    const types = fake.types
    if (worker) worker.status = 'restarting'
    fake.types = []
    fake.tell('node', {})
    await page.getByText('only a running worker can be sent anything').waitFor()
    expect(await page.getByRole('button', { name: 'Send top' }).isDisabled()).toBe(true)
    expect(await page.getByLabel('limit needed').inputValue()).toBe('3')
    await page.getByText('"echoed"').waitFor()
    if (worker) worker.status = 'started'
    fake.types = types
    fake.tell('node', {})
    await page.getByText('only a running worker can be sent anything').waitFor({ state: 'detached' })
    expect(fake.commands.at(-1)).toMatchObject({ method: 'send', args: ['DemoName', 'top', { limit: 3 }, {}] })
    const history = `${web.publicUrl}api/v1/workers/DemoName/history`
    const known = async () => ((await (await page.request.get(history)).json()) as { in: (number | null)[] }).in
    await until(async () => (await known()).filter((value) => value !== null).length > 1, { timeoutMs: 30_000 })
    const opened = Date.now()
    await page.reload()
    const begin = page.locator('.chart .ends time').first()
    const secondsAgo = async () => {
      const [h = 0, m = 0, s = 0] = ((await begin.textContent()) ?? '').split(':').map(Number)
      return (opened - new Date(opened).setHours(h, m, s)) / 1000
    }
    await until(async () => (await secondsAgo()) > 3, { what: 'charts that begin before the page was opened' })
    await page.getByRole('button', { name: 'Restart DemoName' }).click()
    await page.getByRole('button', { name: 'Restart it' }).click()
    await page.getByText('DemoName: restarted').waitFor()
    await show(page, 'worker/Nobody')
    await page.getByText('There is no worker Nobody.').waitFor()
    await close()
  })
})

describe('the data flow', () => {
  it('shows who publishes, who hears, how fast, what is lost, silent or dead; and taps a channel', async () => {
    let send = (_raw: string) => {}
    let miss = (_messages: number | null) => {}
    fake.client.tail = async function* (channel, { signal, dropped }) {
      miss = dropped ?? miss
      while (!signal.aborted) {
        const raw = await new Promise<string>((resolve) => {
          send = resolve
          signal.addEventListener('abort', () => resolve(''), { once: true })
        })
        if (raw) yield { channel, raw, time: Date.now() }
      }
    }
    const { page, wrong, close } = await openPage(browser, web.url)
    await page.addInitScript(`{
      const real = performance.now.bind(performance)
      globalThis.later = 0
      performance.now = () => real() + later
    }`)
    await page.reload()
    await page.getByRole('link', { name: 'Data flow' }).click()
    const edges = page.locator('.edge text')
    await until(async () => (await edges.allTextContents()).some((text) => /^[\d,]{3,}\/s · 214 lost$/.test(text)))
    expect(await page.locator('.part.bad .part-name').allTextContents()).toEqual(['counter'])
    const silent = () => page.locator('.part.silent .part-name').allTextContents()
    // a page that was opened just now can not know who is silent
    expect(await page.locator('.part.good .part-name', { hasText: 'beacon' }).count()).toBe(1)
    expect(await silent()).toEqual([])
    await page.evaluate('later = 31_000')
    await until(async () => (await silent()).join() === 'beacon', { what: 'nobody but beacon is silent' })
    const channels = await page.locator('.part.channel .part-name').allTextContents()
    expect(channels.sort()).toEqual(['beacons', 'threat-feed'])
    await page.getByRole('button', { name: 'Tap beacons' }).waitFor()
    await page
      .getByRole('button', { name: `Tap ${AUTH_LOG}` })
      .first()
      .click()
    await page.getByText('Nothing has come yet.').waitFor()
    send('{"line":"<b>Failed password</b>"}')
    await page.getByText('{"line":"<b>Failed password</b>"}').waitFor()
    await page.getByText('1 of 1 shown').waitFor()
    miss(12)
    await page.getByText('12 messages missed').waitFor()
    miss(null)
    await page.getByText('some messages were missed: the connection to Redis was lost').waitFor()
    expect(page.url()).toContain('tap=')
    await picture(page, 'flow')
    await page.getByRole('button', { name: 'Close the tap' }).click()
    await page.getByLabel('Search the graph').fill('beacon')
    await until(async () => (await page.locator('.part').count()) === 2) // with its channel
    await page.getByLabel('Search the graph').fill('')
    await page.getByRole('button', { name: 'by type' }).click()
    await page.locator('.part.type').first().waitFor()
    await page.getByRole('button', { name: 'by worker' }).click()
    await page.locator('.part.worker', { hasText: 'gate-1' }).click()
    await page.getByRole('heading', { name: 'gate-1' }).waitFor()
    expect(wrong).toEqual([])
    await close()
  })
})

describe('nodes', () => {
  it('are shown with load, processors, versions, and broken files with the line', async () => {
    const [, second] = fake.nodes
    if (second) second.problems = ['The event store can not be written: it is away.']
    const { page, close } = await openPage(browser, web.url)
    await page.getByRole('link', { name: 'Nodes', exact: true }).click()
    await page.getByText('2 of 100 workers · 88 MB').waitFor()
    const processors = page.getByRole('region', { name: 'Processors' })
    expect(await processors.textContent()).toContain('Broken.ts:3:14: Expected ";" but found "is"')
    const problems = page.getByRole('region', { name: 'Needs attention' })
    await problems.getByText('The event store is away').waitFor()
    expect(await problems.textContent()).toContain('kept in Redis and written by itself')
    await picture(page, 'nodes')
    fake.nodes.pop()
    fake.gone = [{ name: 'node-2', host: 'beta', workers: 2, heart_beat: Date.now() / 1000 - 4, age: 4 }]
    await problems.getByText('The node node-2 is gone').waitFor()
    await problems.getByText(/Not heard of with it: .*beacon/).waitFor()
    fillFleet(fake)
    await page.getByRole('link', { name: 'node-2' }).first().click()
    await until(async () => (await page.locator('tr[data-nickname]').count()) === 3)
    await close()
  })
})

describe('events', () => {
  it('are filtered, paged, counted and exported, all of it in the address', async () => {
    const { page, wrong, close } = await openPage(browser, web.url)
    await page.getByRole('link', { name: 'Events', exact: true }).click()
    await page.getByText(/9\d in all; highest bar \d+/).waitFor()
    await picture(page, 'events')
    await page.getByLabel('Kind').selectOption('crashed')
    await until(async () => (await page.locator('.events li').count()) === 4)
    expect(new URL(page.url()).hash).toBe('#/events?kind=crashed')
    const csv = await page.getByRole('link', { name: 'CSV' }).getAttribute('href')
    expect(csv).toBe('api/v1/events/export?kind=crashed&format=csv')
    await page.getByRole('button', { name: 'week' }).click()
    await page.getByText('4 in all').waitFor()
    await page.reload()
    await until(async () => (await page.locator('.events li').count()) === 4)
    fake.tell(
      'event',
      storedEvent({ id: `${Date.now()}-9`, time: Date.now(), kind: 'crashed', message: 'Another crash' }),
    )
    await page.getByText('Another crash').waitFor()
    await page.getByRole('button', { name: 'Show all' }).click()
    await until(async () => (await page.locator('.events li').count()) === 100)
    await page.getByRole('button', { name: 'Older' }).click()
    await until(() => fake.queries.some(({ before }) => before !== undefined))
    await page.getByRole('button', { name: 'To the newest' }).click()
    fake.failing = new Error('away')
    await page.getByLabel('Severity').selectOption('critical')
    await page.getByText('Something unexpected went wrong').first().waitFor()
    fake.failing = undefined
    expect(wrong.filter((text) => !text.includes('500'))).toEqual([])
    await close()
  })
})

describe('every view', () => {
  /** Where it is, and what is there once it is drawn. */
  const VIEWS = [
    ['fleet', 'tr[data-nickname]'],
    ['worker/gate-1', 'figure.life'],
    [`flow?tap=${AUTH_LOG}`, '.part'],
    ['nodes', '.processors li'],
    ['events', '.bars'],
  ] as const
  const showDrawn = async (page: Page, [view, part]: (typeof VIEWS)[number]) => {
    await show(page, view)
    await page.locator(part).first().waitFor()
  }

  it.each(['light', 'dark'] as const)('passes axe in the %s, WCAG AA', async (colorScheme) => {
    const { page, close } = await openPage(browser, web.url, { colorScheme, bypassCSP: true })
    await page.locator('tr[data-nickname]').first().waitFor()
    await page.evaluate(AXE)
    const faults = () =>
      page.evaluate(`axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})
        .then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 120)).join(' | ')))`)
    for (const view of VIEWS) {
      await showDrawn(page, view)
      expect(await faults(), view[0]).toEqual([])
    }
    if (colorScheme === 'dark') {
      await show(page, 'flow')
      await page.locator('.part').first().waitFor()
      await picture(page, 'flow-dark')
    }
    await show(page, 'fleet')
    await page.getByRole('button', { name: 'Start a worker' }).click()
    await page.getByRole('dialog').waitFor()
    expect(await faults(), 'the form').toEqual([])
    await close()
  })

  it('fits a phone', async () => {
    const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }
    const { page, close } = await openPage(browser, web.url, phone)
    for (const view of VIEWS) {
      await showDrawn(page, view)
      expect(await page.evaluate('document.documentElement.scrollWidth'), view[0]).toBe(390)
      await picture(page, `phone-${view[0].split(/[/?]/)[0]}`)
    }
    await close()
  })
})
