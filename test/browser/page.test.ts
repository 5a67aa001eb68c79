import { afterAll, describe, expect, it } from 'vitest'
import { HysasError } from '../../src/errors.js'
import { launchChromium } from '../helpers/chromium.js'
import { until } from '../helpers/until.js'
import { nodeView, startTestWeb, storedEvent, TOKEN, typeView, VIEWER, workerView } from '../web/fixture.js'
import { beatOn, fillFleet, openPage, picture } from './fleet.js'

const browser = await launchChromium()
const { web, fake } = await startTestWeb()
fillFleet(fake)
const beating = beatOn(fake)
afterAll(() => beating.stop())

describe('the page', () => {
  it('opens by the link, loses the token from the address, and shows the living fleet', async () => {
    const { page, wrong, close } = await openPage(browser, web.url)
    expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe('/')
    await page.getByText('live', { exact: true }).waitFor()
    const row = page.locator('tr[data-nickname="auth-log"]')
    await until(async () => /\d{3}\/s/.test((await row.textContent()) ?? ''), { what: 'a rate' })
    expect(await row.textContent()).toContain('running')
    expect(await page.getByText('9 wrong passwords within 60 s for root').count()).toBeGreaterThan(0)
    await picture(page, 'page-light')
    expect(wrong).toEqual([])
    await close()
  })

  it('says on top what is wrong, and what happens next', async () => {
    const { page, close } = await openPage(browser, web.url)
    const problems = page.getByRole('region', { name: 'Needs attention' })
    await problems.getByText('counter has disappeared').waitFor()
    expect(await problems.textContent()).toMatch(/since \d\d:\d\d:\d\d \(\d+ s\)/)
    expect(await problems.getByRole('listitem').count()).toBe(3)
    expect(await problems.textContent()).toMatch(
      /gate-2 is restartingError: ENOENT.*It starts again by itself( in \d+ s)?/,
    )
    expect(await page.title()).toMatch(/^\(3\)/)
    const foreign = await page.locator('tr[data-nickname="old-sensor"]').textContent()
    expect(foreign).toMatch(/Python.*running/)
    expect(await page.getByRole('button', { name: /old-sensor/ }).count()).toBe(0)
    await close()
  })

  it('hears of what happens without being asked', async () => {
    const { page, close } = await openPage(browser, web.url)
    await page.locator('tr[data-nickname="auth-log"]').waitFor()
    fake.tell('event', storedEvent({ id: '9990000000000-0', time: Date.now(), message: 'Just now' }))
    await page.getByText('Just now').waitFor()
    await page.getByText('node-2').first().waitFor()
    fake.workers.set('newcomer', workerView({ nickname: 'newcomer' }))
    fake.tell('fleet', {})
    await page.locator('tr[data-nickname="newcomer"]').waitFor()
    fake.workers.delete('newcomer')
    fake.tell('fleet', {})
    await page.locator('tr[data-nickname="newcomer"]').waitFor({ state: 'detached' })
    await close()
  })

  it('starts a worker by the form of its processor', async () => {
    const { page, wrong, close } = await openPage(browser, web.url)
    await page.getByRole('button', { name: 'Start a worker' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Type').selectOption('SshGuard')
    await dialog.getByLabel('Nickname').fill('gate-9')
    await dialog.getByLabel('file').fill('/var/log/auth.log')
    await dialog.getByLabel('tries').fill('7')
    await dialog.getByLabel('level').selectOption('high')
    await dialog.getByLabel('quiet').check()
    await dialog.getByLabel('ignore').fill('["10.0.0.1"]')
    await picture(page, 'page-start')
    await dialog.getByRole('button', { name: 'Start' }).click()
    await page.getByText(/gate-9 runs on node-1/).waitFor()
    const params = { file: '/var/log/auth.log', tries: 7, level: 'high', quiet: true, ignore: ['10.0.0.1'] }
    expect(fake.commands.at(-1)).toMatchObject({ method: 'start', args: ['SshGuard', 'gate-9', params, {}] })
    expect(wrong).toEqual([])
    await close()
  })

  it('chooses a type as soon as one is known, and keeps what is typed while none is for a moment', async () => {
    const { web, fake } = await startTestWeb()
    const types = fake.types
    fake.types = []
    const { page, close } = await openPage(browser, web.url)
    await page.getByRole('button', { name: 'Start a worker' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('No node has a processor').waitFor()
    await until(() => fake.watchers.size === 1)
    fake.types = types
    fake.tell('node', {})
    await dialog.getByLabel('everyMs').fill('50')
    expect(await dialog.getByLabel('Type').inputValue()).toBe('Demo')
    fake.types = []
    fake.nodes.push(nodeView({ name: 'node-2' })) // read with the types
    fake.tell('node', {})
    await page.locator('main').getByText('node-2').first().waitFor({ state: 'attached' })
    fake.tell('event', storedEvent({ id: `${Date.now()}-0`, message: 'after it' }))
    await page.getByText('after it').waitFor({ state: 'attached' })
    expect(await dialog.getByLabel('everyMs').inputValue()).toBe('50')
    await close()
  })

  it('has a form for whatever a schema asks, and says what is to be written', async () => {
    const { web, fake } = await startTestWeb()
    const file = { description: 'Where it reads', anyOf: [{ type: 'string' }, { type: 'null' }] }
    const limits = { type: 'array', items: { type: 'integer' }, description: 'Of each try' }
    const properties = {
      ...{ file, quiet: { type: 'boolean', description: 'Publishes none' }, limits },
      ...{ ignore: { type: 'array', items: { type: 'string' } }, 'size(mb': { type: 'integer' } },
    }
    fake.types = [typeView({ params: { type: 'object', required: Object.keys(properties), properties } })]
    const { page, wrong, close } = await openPage(browser, web.url)
    await page.getByRole('button', { name: 'Start a worker' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Nickname').fill('all')
    await dialog.getByText('Of each try · JSON: a list, such as [1]').waitFor()
    await dialog.getByLabel('limits').fill('[3, 60]')
    await dialog.getByLabel('ignore').fill('10.0.0.1\n10.0.0.2')
    await dialog.getByLabel('size(mb').fill('4')
    await picture(page, 'page-start-all')
    const problems = '"size(mb": given 4, wanted at least 5'
    fake.failing = new HysasError('BAD_PARAMS', { type: 'Demo', problems })
    await dialog.getByRole('button', { name: 'Start' }).click()
    await dialog.getByText('given 4, wanted').waitFor()
    fake.failing = undefined
    await dialog.getByLabel('size(mb').fill('5')
    await dialog.getByRole('button', { name: 'Start' }).click()
    await page.getByText(/all runs on node-1/).waitFor()
    const params = { file: null, quiet: false, limits: [3, 60], ignore: ['10.0.0.1', '10.0.0.2'], 'size(mb': 5 }
    expect(fake.commands.at(-1)).toMatchObject({ method: 'start', args: ['Demo', 'all', params, {}] })
    expect(wrong.filter((one) => !one.includes('400'))).toEqual([])
    await close()
  })

  it('keeps the form open and says why, when a start is refused', async () => {
    const { page, close } = await openPage(browser, web.url)
    await page.getByRole('button', { name: 'Start a worker' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Type').selectOption('SshGuard')
    await dialog.getByLabel('Nickname').fill('gate-9')
    await dialog.getByLabel('file').fill('x')
    await dialog.getByLabel('weights').fill('[nonsense')
    await dialog.getByRole('button', { name: 'Start' }).click()
    await dialog.getByText(/weights: this is not JSON/).waitFor()
    await dialog.getByLabel('weights').fill('{}')
    await dialog.getByLabel('tries').fill('-1')
    await dialog.getByLabel('Nickname').fill('1 bad')
    await dialog.getByRole('button', { name: 'Start' }).click()
    await dialog.getByText('The least is 1.').waitFor()
    expect(await dialog.getByLabel('Nickname').getAttribute('aria-invalid')).toBe('true')
    await dialog.getByLabel('tries').fill('3')
    await dialog.getByLabel('Nickname').fill('gate-9')
    fake.failing = new HysasError('BAD_PARAMS', {
      type: 'SshGuard',
      problems: 'tries: given 3, wanted a whole number above 4',
    })
    await dialog.getByRole('button', { name: 'Start' }).click()
    await dialog.getByText('tries: given 3').waitFor()
    fake.failing = undefined
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    await close()
  })

  it('asks before it stops or restarts, and says what became of it', async () => {
    const { page, close } = await openPage(browser, web.url)
    const before = fake.commands.length
    await page.getByRole('button', { name: 'Stop DemoName' }).click()
    await page.getByRole('dialog').getByText('counter will hear nothing').waitFor()
    await page.getByRole('button', { name: 'Cancel' }).click()
    expect(fake.commands.length).toBe(before)
    await page.getByRole('button', { name: 'Stop DemoName' }).click()
    await page.getByRole('button', { name: 'Stop it' }).click()
    await page.getByText('DemoName: stopped').waitFor()
    expect(fake.commands.at(-1)).toMatchObject({ method: 'stop', args: ['DemoName', {}] })
    await page.getByRole('button', { name: 'Restart gate-1' }).click()
    await page.getByRole('button', { name: 'Restart it' }).click()
    await page.getByText('gate-1: restarted').waitFor()
    await page.getByRole('button', { name: 'Start old-demo' }).click()
    await page.getByText('old-demo: started').waitFor()
    expect(await page.getByRole('button', { name: 'Stop Monitor' }).count()).toBe(0)
    await close()
  })

  it('keeps search, filters and order in the address', async () => {
    const { page, close } = await openPage(browser, web.url)
    const names = () =>
      page.locator('tr[data-nickname]').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-nickname')))
    await page.getByLabel('Search workers').fill('sshguard node-1')
    await until(async () => (await names()).length === 1)
    await until(() => page.url().endsWith('#/fleet?q=sshguard+node-1'))
    await page.reload()
    await until(async () => (await names()).length === 1)
    await page.getByRole('button', { name: 'Show all' }).click()
    await page.getByLabel('Status', { exact: true }).selectOption('running')
    await page.getByLabel('Node', { exact: true }).selectOption('node-2')
    await until(async () => (await names()).join() === 'beacon')
    await page.goto(`${web.publicUrl}#/fleet?type=SshGuard&sort=-restarts`)
    await until(async () => (await names()).join() === 'gate-2,gate-1')
    await page.getByRole('button', { name: 'Restarts' }).click()
    await until(async () => (await names()).join() === 'gate-1,gate-2')
    expect(await page.locator('th[aria-sort="ascending"]').textContent()).toContain('Restarts')
    await close()
  })

  it('is used by keyboard alone', async () => {
    const { page, close } = await openPage(browser, web.url)
    await page.locator('tr[data-nickname]').first().waitFor()
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.keyboard.press('2')
    await page.getByRole('heading', { name: 'Data flow' }).waitFor()
    await page.keyboard.press('1')
    await page.keyboard.press('/')
    await until(() => page.evaluate("document.activeElement.id === 'search'"))
    await page.keyboard.type('gate-1')
    await until(async () => (await page.locator('tr[data-nickname]').count()) === 1)
    await page.keyboard.press('Escape')
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'gate-1' }).waitFor()
    await page.keyboard.press('n')
    await page.getByRole('dialog', { name: 'Start a worker' }).waitFor()
    await close()
  })

  it('does nothing at single keys while a dialog is open, wherever the focus is', async () => {
    const { page, close } = await openPage(browser, web.url)
    await page.getByRole('button', { name: 'Start a worker' }).click()
    const dialog = page.getByRole('dialog', { name: 'Start a worker' })
    await dialog.getByLabel('Nickname').fill('gate-9')
    await dialog.getByRole('heading', { name: 'Start a worker' }).click()
    await page.evaluate('document.activeElement.blur()') // as some browsers do by that click
    const { hash } = new URL(page.url())
    for (const key of ['?', '2', '/', 'n', 'j']) await page.keyboard.press(key)
    await page.waitForTimeout(150) // what they ask for is drawn a moment later
    expect(await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).count()).toBe(0)
    expect(await dialog.getByLabel('Nickname').inputValue()).toBe('gate-9')
    expect(new URL(page.url()).hash).toBe(hash)
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    await page.keyboard.press('2')
    await page.getByRole('heading', { name: 'Data flow' }).waitFor()
    await close()
  })

  it('does nothing at single keys once they are switched off, which the browser remembers', async () => {
    const { page, close } = await openPage(browser, web.url)
    await page.locator('tr[data-nickname]').first().waitFor()
    const help = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
    await page.keyboard.press('?')
    await help.getByLabel('Single-key shortcuts').uncheck()
    await help.getByText('Only Esc does.').waitFor()
    await picture(page, 'page-help')
    await page.keyboard.press('Escape')
    await help.waitFor({ state: 'detached' })
    const pressAll = async () => {
      for (const key of ['?', '2', '3', '4', 'n', '/', 'j', 'k']) await page.keyboard.press(key)
      await page.waitForTimeout(150) // what they ask for is drawn a moment later
    }
    const untouched = async () => {
      expect(await page.getByRole('dialog').count()).toBe(0)
      expect(new URL(page.url()).hash).not.toMatch(/flow|nodes|events/)
      expect(await page.evaluate("document.activeElement.matches('#search, a.name')")).toBe(false)
    }
    await pressAll()
    await untouched()
    await page.reload()
    await page.locator('tr[data-nickname]').first().waitFor()
    await pressAll()
    await untouched()
    await page.getByRole('button', { name: 'Keyboard shortcuts' }).click()
    await help.getByLabel('Single-key shortcuts').check()
    await page.keyboard.press('Escape')
    await help.waitFor({ state: 'detached' })
    await page.keyboard.press('2')
    await page.getByRole('heading', { name: 'Data flow' }).waitFor()
    await close()
  })

  it('shows a viewer no buttons', async () => {
    const { page, close } = await openPage(browser, web.url.replace(TOKEN, VIEWER))
    await page.locator('tr[data-nickname="DemoName"]').waitFor()
    await page.getByText('live', { exact: true }).waitFor()
    await page.getByText('viewer', { exact: true }).waitFor()
    expect(await page.getByRole('button', { name: /^(Stop|Restart|Start) / }).count()).toBe(0)
    await close()
  })

  it('never runs what a worker wrote', async () => {
    const evil = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
    fake.workers.set(
      'Evil',
      workerView({ nickname: 'Evil', type: evil, node: evil, status: 'failed', error_msg: evil, params: { evil } }),
    )
    fake.tell('fleet', {})
    const [node] = fake.nodes
    if (node) node.url = 'javascript:window.pwned=1'
    const { page, wrong, close } = await openPage(browser, web.url)
    await page.getByText('Evil has failed').waitFor()
    await page.getByRole('link', { name: 'Evil', exact: true }).first().click()
    await page.getByText('"evil": "<img').waitFor()
    fake.tell(
      'event',
      storedEvent({ id: '9990000000001-0', time: Date.now(), kind: evil, message: `after ${evil}`, source: evil }),
    )
    await page.evaluate("location.hash = '#/events'")
    await page.getByText('after <img').waitFor()
    for (const [view, heading] of [
      ['nodes', 'Processors'],
      ['flow', 'Channels'],
      ['fleet', 'Latest events'],
    ] as const) {
      await page.evaluate(`location.hash = '#/${view}'`)
      await page.getByRole('heading', { name: heading }).waitFor()
      expect(await page.locator('a[href^="javascript"]').count()).toBe(0)
    }
    expect(await page.evaluate(() => 'pwned' in globalThis)).toBe(false)
    expect(await page.locator('main img, main script').count()).toBe(0)
    expect(wrong).toEqual([])
    fake.workers.delete('Evil')
    fake.tell('fleet', {})
    await close()
  })

  it('fits a dark room, and a phone', async () => {
    const dark = await openPage(browser, web.url, { colorScheme: 'dark' })
    await dark.page.getByText('live', { exact: true }).waitFor()
    await dark.page.locator('tr[data-nickname="DemoName"]').waitFor()
    await picture(dark.page, 'page-dark')
    await dark.close()
    const long = 'x'.repeat(63)
    fake.workers.set(
      long,
      workerView({ nickname: long, type: `X${long}`, node: long, status: 'disappeared', error_msg: long }),
    )
    fake.events.push(storedEvent({ id: '1-0', kind: long, message: long + long, nickname: long, source: long }))
    const phone = await openPage(browser, web.url, {
      viewport: { width: 390, height: 844 },
      isMobile: true,
      hasTouch: true,
    })
    await phone.page.getByText('live', { exact: true }).waitFor()
    await phone.page.locator('tr[data-nickname="DemoName"]').waitFor()
    await picture(phone.page, 'page-phone')
    const tooWide = `[...document.querySelectorAll('body *')]
      .filter((element) => element.getBoundingClientRect().right > 390 && !element.closest('thead'))
      .map((element) => element.outerHTML.slice(0, 80))`
    expect(await phone.page.evaluate(tooWide)).toEqual([])
    expect(await phone.page.evaluate('document.documentElement.scrollWidth')).toBe(390)
    fake.workers.delete(long)
    await phone.close()
  })
})

describe('the connection', () => {
  it('tells nothing of a fleet before anything is known of it', async () => {
    const { page, close } = await openPage(browser, web.url)
    await page.getByText('live', { exact: true }).waitFor()
    await page.route('**/api/v1/stream', () => {}) // it never answers
    await page.reload()
    await page.getByText('connecting…').waitFor()
    for (const view of ['fleet', 'nodes', 'flow', 'worker/gate-1']) {
      await page.evaluate(`location.hash = '#/${view}'`)
      await page.getByText('Reading the').first().waitFor()
      expect(await page.locator('main').textContent(), view).not.toMatch(/No node|No worker|Nothing|Needs attention/)
    }
    await close()
  })

  it('that is lost is told honestly, and comes back by itself', async () => {
    const first = await startTestWeb()
    const { page, close } = await openPage(browser, first.web.url)
    await page.getByText('live', { exact: true }).waitFor()
    await first.web.close()
    await page.getByText(/as of \d\d:\d\d:\d\d, reconnecting/).waitFor()
    await picture(page, 'page-lost')
    await page.getByRole('link', { name: 'Events', exact: true }).click()
    await page.getByText('does not answer').nth(1).waitFor()
    const again = await startTestWeb({ settings: { ...first.settings, port: first.web.port } })
    expect(again.web.port).toBe(first.web.port)
    await page.getByText('live', { exact: true }).waitFor()
    await page.locator('.events li').first().waitFor()
    await page.locator('.bars').waitFor()
    await close()
  })

  it('to a node that has lost Redis is told as well', async () => {
    const { web, fake } = await startTestWeb()
    const { page, close } = await openPage(browser, web.url)
    await page.getByText('live', { exact: true }).waitFor()
    fake.failing = new Error('away')
    await page.getByText(/node-1 has lost Redis/).waitFor()
    fake.failing = undefined
    await page.getByText('live', { exact: true }).waitFor()
    await close()
  })

  it('to a node that had no Redis when the page was opened shows what is wrong once Redis is there', async () => {
    const { web, fake } = await startTestWeb()
    fake.workers.set('broken', workerView({ nickname: 'broken', status: 'failed', error_msg: 'no such file' }))
    fake.failing = new Error('away')
    const { page, close } = await openPage(browser, web.url)
    await page.getByText(/node-1 has lost Redis/).waitFor()
    expect(await page.locator('.figures').textContent()).toContain('–')
    fake.failing = undefined
    await page.getByText('live', { exact: true }).waitFor()
    const problems = page.getByRole('region', { name: 'Needs attention' })
    await problems.getByText('broken has failed').waitFor()
    expect(await page.locator('.figures').textContent()).not.toContain('–')
    await close()
  })

  it('is let go while nobody looks, taken up again, and told as signed out for as long as that is so', async () => {
    const { web, fake } = await startTestWeb()
    const { page, close } = await openPage(browser, web.url)
    await page.clock.install()
    await page.reload()
    await page.getByText('live', { exact: true }).waitFor()
    await until(() => fake.watchers.size === 1)
    const show = (shown: boolean) =>
      page.evaluate(`{
        Object.defineProperty(document, 'hidden', { value: ${!shown}, configurable: true })
        document.dispatchEvent(new Event('visibilitychange'))
      }`)
    const leave = async () => {
      await show(false)
      await page.clock.fastForward(11_000)
      await until(() => fake.watchers.size === 0, { what: 'a stream that is let go' })
    }
    await leave()
    await show(true)
    await page.getByText('live', { exact: true }).waitFor()
    await leave()
    const cookies = await page.context().cookies()
    await page.context().clearCookies()
    let streams = 0
    page.on('request', (request) => request.url().endsWith('/stream') && streams++)
    await show(true)
    const denied = page.getByText('signed out')
    await denied.waitFor()
    for (const _ of [1, 2]) {
      const refused = page.waitForResponse((one) => one.url().endsWith('/session') && one.status() === 401)
      await page.clock.fastForward(2_000)
      await refused
      expect(await denied.count()).toBe(1)
    }
    expect(streams).toBe(1)
    await page.context().addCookies(cookies)
    await page.getByText('live', { exact: true }).waitFor()
    await close()
  })
})

describe('without a token', () => {
  it('the page says what to do, and takes the token', async () => {
    const { page, close } = await openPage(browser, web.publicUrl)
    await page.getByText('This page needs a token.').waitFor()
    await picture(page, 'login')
    await page.getByLabel('Token').fill('wrong')
    await page.getByRole('button', { name: 'Enter' }).click()
    await page.getByText('That token is not valid here.').waitFor()
    await page.getByLabel('Token').fill(TOKEN)
    await page.getByRole('button', { name: 'Enter' }).click()
    await page.getByText('live', { exact: true }).waitFor()
    await close()
  })
})

describe('Bull Board', () => {
  it('is behind the same login, works under our policy, and asks no other host', async () => {
    const { page, wrong, close } = await openPage(browser, web.url)
    await page.getByRole('link', { name: 'Queues' }).click()
    await page.getByText('Command').first().waitFor()
    await page.getByText('SshGuard').first().waitFor()
    await page.goto(`${web.publicUrl}queues/queue/Command`)
    await page.getByText('Command').first().waitFor()
    await page.waitForLoadState('networkidle')
    await picture(page, 'board')
    expect(wrong).toEqual([])
    await close()
  })
})
