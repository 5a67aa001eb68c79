import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Queue } from 'bullmq'
import { expect, it } from 'vitest'
import { COMMAND_QUEUE, namesOf } from '../../src/redis/names.js'
import type { StoredEvent } from '../../src/store/types.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { freePort } from '../helpers/process.js'
import { redisUrl } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

const TOKEN = 'the-operators-token-of-this-test'
const SECRET = 'planted-in-the-arguments-2b7c'
const CALLED = `import { defineProcessor } from 'hysas'
export default defineProcessor({ operations: { set: { run: (ctx, args) => Object.keys(args) } } })
`

it('what was sent to a worker by client, API and Bull Board is recorded with its arguments, and no secret of them', async () => {
  const ns = namespace()
  const folder = temporaryFolder('hysas-operations')
  mkdirSync(join(folder, 'processors'))
  writeFileSync(join(folder, 'processors', 'Called.ts'), CALLED)
  const port = await freePort()
  await startNode({ namespace: ns, folder, env: { HYSAS_TOKEN: TOKEN }, args: ['--port', String(port)] })
  const client = await clientOf(ns)
  await client.start('Called', 'one')
  const api = (path: string, body?: object) =>
    fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
      headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    })

  const args = (by: string) => ({ by, list: [{ apiKey: SECRET }], url: `http://user:${SECRET}@host/` })
  await client.send('one', 'set', args('client'))
  expect(await (await api('/workers/one/operations/set', { args: args('api') })).json()).toEqual({
    value: ['by', 'list', 'url'],
  })
  const queue = new Queue(COMMAND_QUEUE, { connection: { url: redisUrl() }, prefix: namesOf(ns).queuePrefix })
  await queue.add('send', { nickname: 'one', operation: 'set', args: args('board') })
  await queue.add('send', { nickname: 'one', operation: 'set', args: { by: 'long', text: 'x'.repeat(5000) } })
  await queue.add('send', { nickname: 'one', operation: 'set', args: SECRET })
  await queue.close()

  const kept = await until(async () => {
    const events = (await (await api('/events?kind=command&nickname=one')).json()) as StoredEvent[]
    const calls = events.filter(({ data }) => (data as { operation?: string }).operation)
    return calls.length >= 5 ? calls : undefined
  })
  for (const by of ['client', 'api', 'board'])
    expect(kept.map(({ data }) => data)).toContainEqual({
      ...{ command: 'send', result: 'admitted', operation: 'set' },
      args: { by, list: [{ apiKey: '[redacted]' }], url: 'http://user:***@host/' },
    })
  expect(kept.map(({ data }) => (data as { args?: object }).args)).toContainEqual({
    ...{ truncated: true, characters: 5023 },
    begins: expect.stringMatching(/^\{"by":"long","text":"x+$/),
  })
  expect(JSON.stringify(kept)).not.toContain(SECRET)
})
