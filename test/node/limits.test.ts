import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { until } from '../helpers/until.js'

const SLOW = `import { defineProcessor } from 'hysas'
const busy = (ms) => { for (const end = Date.now() + ms; Date.now() < end; ) {} }
export default defineProcessor({
  description: 'Blocks its event loop again and again.',
  heartbeatSeconds: 0.3,
  LIMIT
  async produce(ctx) {
    while (!ctx.signal.aborted) {
      busy(150)
      await ctx.sleep(20)
    }
  },
})
`

it('a worker whose event loop is late again and again is restarted, with the reason told; without a limit it is only called busy', async () => {
  const ns = namespace()
  const folder = join(temporaryFolder('hysas-limits'), 'processors')
  mkdirSync(folder)
  writeFileSync(join(folder, 'Limited.ts'), SLOW.replace('LIMIT', 'maxLoopDelayMs: 60,'))
  writeFileSync(join(folder, 'Free.ts'), SLOW.replace('LIMIT', '').replace('150', '600'))
  await startNode({ namespace: ns, processors: [folder] })
  const client = await clientOf(ns)
  const events: { kind: string; nickname: string; message: string }[] = []
  const end = new AbortController()
  const watching = (async () => {
    for await (const { what, data } of client.watch({ signal: end.signal }))
      if (what === 'event') events.push(data as (typeof events)[number])
  })()
  await Promise.all([client.start('Limited', 'limited'), client.start('Free', 'free')])
  const crash = await until(() => events.find(({ kind, nickname }) => kind === 'crashed' && nickname === 'limited'))
  expect(crash.message).toMatch(/Its event loop was \d+ ms late, more than its 60 ms/)
  await until(async () => (await client.show('limited')).restarts > 0)
  await until(async () => (await client.show('free')).life === 'busy')
  expect(await client.show('free')).toMatchObject({ status: 'started', restarts: 0 })
  end.abort()
  await watching
})
