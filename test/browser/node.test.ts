import { expect, it } from 'vitest'
import { launchChromium } from '../helpers/chromium.js'
import { namespace } from '../helpers/namespace.js'
import { startNode } from '../helpers/node.js'
import { until } from '../helpers/until.js'
import { openPage, picture } from './fleet.js'

it('an operator starts, watches, sees crash and stops a worker of a real node from the page alone', async () => {
  const node = await startNode({ namespace: namespace(), args: ['--port', '0'] })
  const link = /http:\/\/\S+/.exec(node.output())?.[0] ?? ''
  const { page, wrong, close } = await openPage(await launchChromium(), link)
  await page.getByText('live', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Start a worker' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Type').selectOption('Demo')
  await dialog.getByLabel('Nickname').fill('ByPage')
  await dialog.getByLabel('everyMs').fill('100')
  await dialog.getByRole('button', { name: 'Start' }).click()
  await dialog.waitFor({ state: 'detached', timeout: 30_000 })

  const row = page.locator('tr[data-nickname="ByPage"]')
  const cell = async (name: string) => (await row.locator(`td[data-label="${name}"]`).textContent()) ?? ''
  await until(async () => Number.parseFloat(await cell('Out')) > 5, { what: 'messages a second' })
  const up = /running|busy/ // a machine with other tests on it makes its event loop late
  expect(await cell('Status')).toMatch(up)
  expect(await cell('Node')).toBe(node.name)
  await page.getByText('start ByPage').first().waitFor()

  await page.getByRole('link', { name: 'ByPage', exact: true }).first().click()
  await page
    .getByText(/heard \{/)
    .first()
    .waitFor()
  await page.getByText('started on').first().waitFor()
  const pid = Number(/Process(\d+)/.exec((await page.locator('main').textContent()) ?? '')?.[1])
  await page.getByLabel('Operation', { exact: true }).selectOption('logLevel')
  await page.getByLabel('level needed').selectOption('debug')
  await page.getByRole('button', { name: 'Send logLevel' }).click()
  await page.getByRole('button', { name: 'Send it' }).click()
  await page.getByText('It returned').waitFor()
  await picture(page, 'node')
  process.kill(pid, 'SIGKILL')
  await page.getByText('1 crashed').waitFor({ timeout: 15_000 })
  await page.getByRole('link', { name: 'Fleet' }).click()
  await until(async () => (await cell('Restarts')) === '1', { what: 'a restart' })
  await until(async () => up.test(await cell('Status')), { what: 'running again' })

  await page.getByRole('link', { name: 'Data flow' }).click()
  await page
    .getByRole('button', { name: /^Tap .*ByPage/ })
    .first()
    .click()
  await until(
    async () => /\d+ of \d+ shown/.test((await page.getByRole('region', { name: /^Tap/ }).textContent()) ?? ''),
    {
      what: 'messages of the channel',
    },
  )
  await picture(page, 'node-flow')
  await page.getByRole('link', { name: 'Fleet' }).click()
  await page.getByRole('button', { name: 'Stop ByPage' }).click()
  await page.getByRole('button', { name: 'Stop it' }).click()
  await until(async () => (await cell('Status')).includes('terminated'), { what: 'the end' })
  await page.getByRole('link', { name: 'Queues' }).click()
  await page.getByRole('link', { name: 'Monitor' }).first().waitFor()
  await picture(page, 'node-board')
  expect(wrong).toEqual([])
  await close()
})
