import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { childrenOf, lives } from '../faults/fixture.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

const POLITE = `import { defineProcessor } from 'hysas'
import { z } from 'zod'
export default defineProcessor({
  params: z.object({ key: z.string() }),
  produce: (ctx) => ctx.sleep(1e8),
  beforeTermination: (ctx, reason) => ctx.redis.set(ctx.params.key, reason),
})
`

it.each([
  ['an error that nobody caught', `setImmediate(() => { throw new Error('out of nowhere') })`],
  ['a rejection that nobody awaited', `void Promise.reject(new Error('out of nowhere'))`],
])('a node with %s tells it, ends its workers in order, and fails', async (_what, fault) => {
  const ns = namespace()
  const folder = temporaryFolder('hysas-fatal')
  const redis = connectRedis()
  mkdirSync(join(folder, 'processors'))
  writeFileSync(join(folder, 'processors/Polite.ts'), POLITE)
  writeFileSync(join(folder, 'fault.cjs'), `process.on('SIGUSR2', () => { ${fault} })`)
  const node = await startNode({
    namespace: ns,
    processors: [join(folder, 'processors')],
    env: { NODE_OPTIONS: `--require=${join(folder, 'fault.cjs')}` },
  })
  const client = await clientOf(ns)
  const key = `reason-${ns}`
  await client.start('Polite', 'polite', { key })
  const children = childrenOf(node.pid)
  process.kill(node.pid, 'SIGUSR2')
  expect(await node.exited).toEqual({ code: 1, signal: null })
  expect(await redis.get(key)).toBe('shutdown')
  const told = node
    .output()
    .split('\n')
    .filter((line) => line.includes('"level":60'))
  expect(told).toHaveLength(1)
  const { msg, err } = JSON.parse(told[0] ?? '') as { msg: string; err: { message: string; stack: string } }
  expect(msg).toBe('an error that nobody caught: this node ends')
  expect(err.message).toBe('out of nowhere')
  expect(err.stack).toContain('fault.cjs')
  await until(() => !children.some(lives)) // the compiler's own process notices the end of its node by itself
})
