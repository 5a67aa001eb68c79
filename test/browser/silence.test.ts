import { connect, createServer, type Socket } from 'node:net'
import type { Page } from 'playwright-core'
import { afterAll, expect, it } from 'vitest'
import { launchChromium } from '../helpers/chromium.js'
import { until } from '../helpers/until.js'
import { startTestWeb } from '../web/fixture.js'
import { fillFleet, openPage } from './fleet.js'

const browser = await launchChromium()
const { web, fake } = await startTestWeb()
fillFleet(fake)
const line = await cable(web.port)
afterAll(() => line.close())

it('tells as of when it is by what was heard last, though the computer slept meanwhile', async () => {
  const { page, close } = await openPage(browser, web.url.replace(String(web.port), String(line.port)))
  await page.clock.install()
  await page.reload()
  const live = page.getByText('live', { exact: true })
  await live.waitFor()
  await page.getByText('counter has disappeared').waitFor()
  line.cut()
  const cut = await wall(page)
  await page.clock.fastForward(3_000)
  await live.waitFor() // nobody can know yet
  // asleep: the clock of the wall goes on, timers and the clock of ages don't
  await page.clock.setSystemTime((await wall(page)) + 8 * 3_600_000)
  await page.clock.fastForward(7_000)
  await page.getByText('reconnecting').waitFor()
  const asOf = Date.parse((await page.locator('.link time').getAttribute('datetime')) ?? '')
  expect(asOf).toBeLessThanOrEqual(cut)
  expect(asOf).toBeGreaterThan(cut - 8_000)

  line.mend()
  await page.clock.fastForward(3_000)
  await live.waitFor()
  // 34 s ago, by the clock that one sees on the wall
  const since = page.locator('.problems li', { hasText: 'counter has disappeared' }).locator('time').first()
  await until(
    async () => {
      const ago = (await wall(page)) - Date.parse((await since.getAttribute('datetime')) ?? '')
      return ago > 33_000 && ago < 50_000
    },
    { what: 'the time since when it is silent' },
  )
  await close()
})

const wall = (page: Page) => page.evaluate<number>('Date.now()')

/** A way to a port of this machine that can fall silent, though both ends stay open. */
async function cable(port: number) {
  const sockets = new Set<Socket>()
  let whole = true
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const [from, to] of [[near, far] as const, [far, near] as const]) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('close', () => to.destroy())
      from.on('data', (data) => whole && to.write(data))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    cut: () => {
      whole = false
    },
    mend: () => {
      whole = true
      for (const socket of sockets) socket.destroy() // what was lost on the way leaves them of no use
    },
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
