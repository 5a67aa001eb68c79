import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { againAfter, lives, shown } from '../faults/fixture.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

const PARENT = `import { spawn } from 'node:child_process'
import { defineProcessor } from 'hysas'
import { z } from 'zod'
export default defineProcessor({
  params: z.object({ key: z.string(), detached: z.boolean() }),
  async produce(ctx) {
    const { key, detached } = ctx.params
    const child = spawn('sleep', ['600'], { stdio: ['ignore', 'pipe', 'inherit'], detached })
    process.stdout.write('a last word, without an end')
    await ctx.redis.rpush(key, child.pid)
    await ctx.sleep(1e8)
  },
})
`

const redis = connectRedis()
const started: number[] = []
afterAll(() => {
  for (const pid of started) if (lives(pid)) process.kill(pid, 'SIGKILL')
})

async function setUp() {
  const ns = namespace()
  const folder = join(temporaryFolder('hysas-parents'), 'processors')
  mkdirSync(folder)
  writeFileSync(join(folder, 'Parent.ts'), PARENT)
  const node = await startNode({ namespace: ns, processors: [folder] })
  const client = await clientOf(ns)
  return {
    node,
    client,
    /** Starts a worker with a process of its own. @returns both pids */
    async start(nickname: string, detached: boolean) {
      const key = `pids-of-${nickname}-${ns}`
      const { pid, epoch } = await client.start('Parent', nickname, { key, detached })
      const sleeper = Number(await until(() => redis.lindex(key, -1)))
      started.push(sleeper)
      const all = async () => (await redis.lrange(key, 0, -1)).map(Number)
      return { pid: pid as number, epoch: epoch as number, sleeper, all }
    },
  }
}

describe.each([
  ['in its group', false],
  ['in a group of its own', true],
])('a process that a worker has started, %s,', (_where, detached) => {
  it('does not keep a worker that was killed from coming back, nor one that is stopped from ending', async () => {
    const { client, start } = await setUp()
    const one = await start('one', detached)
    process.kill(one.pid, 'SIGKILL')
    await shown(client, 'one', againAfter(one.epoch))
    if (!detached) await until(() => !lives(one.sleeper), { what: 'what it had started is gone' })
    expect(lives(one.sleeper)).toBe(detached)
    const again = await until(async () => (await one.all())[1])
    started.push(again)
    await client.stop('one')
    const others = async () => (await client.list()).filter(({ status }) => status === 'started').length
    await until(async () => (await client.nodes())[0]?.workers === (await others()), { what: 'its run is over' })
    if (!detached) await until(() => !lives(again))
    expect(lives(again)).toBe(detached)
  })

  it('does not keep a node from ending', async () => {
    const { node, start } = await setUp()
    await start('one', detached)
    node.child.kill('SIGTERM')
    let ended = false
    void node.exited.then(() => {
      ended = true
    })
    await until(() => ended, { timeoutMs: 15_000, what: 'the node has ended' })
    expect(await node.exited).toEqual({ code: 0, signal: null })
  })
})
