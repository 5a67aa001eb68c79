import { expect, it } from 'vitest'
import { whileRedisAnswers } from '../../src/cli/reach.js'
import { startRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { fakeCli } from './fake-cli.js'

/** What goes on until it is told to end. */
const goesOn = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

it('who follows something is told that Redis is lost and that it is back, and ends when asked to', async () => {
  const server = await startRedis()
  const { cli, stderr } = fakeCli()
  const end = new AbortController()
  const reach = { url: server.url, source: 'test', patienceMs: undefined }
  const connected = new Promise<void>((resolve) => {
    void whileRedisAnswers(cli, reach, end.signal, async (signal) => {
      resolve()
      await goesOn(signal)
    }).then(() => cli.stderr.write('ended'))
  })
  await connected
  await server.restart()
  await until(() => /was lost; trying again\.[\s\S]*answers again/.test(stderr()), { what: stderr() })
  expect(stderr().match(/was lost/g)).toHaveLength(1)
  end.abort()
  await until(() => stderr().endsWith('ended'))
})

it('a private Redis that stays away ends it, with NO_REDIS', async () => {
  const server = await startRedis()
  const { cli, stderr } = fakeCli()
  const reach = { url: server.url, source: '.hysas/redis', patienceMs: 50 }
  const following = whileRedisAnswers(cli, reach, new AbortController().signal, async (signal) => {
    await server.kill()
    await goesOn(signal)
  })
  await expect(following).rejects.toMatchObject({ code: 'NO_REDIS' })
  expect(stderr()).toContain('was lost')
})
