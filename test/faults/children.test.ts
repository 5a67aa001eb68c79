import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Client } from '../../src/client.js'
import { namesOf } from '../../src/redis/names.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode, type TestNode } from '../helpers/node.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { againAfter, childrenOf, commandOf, hearEpochs, lives, processors, shown, tell } from './fixture.js'
import { atLeisure, FULL, measured, measuredMs, together } from './table.js'

const ns = namespace()
const names = namesOf(ns)
const redis = connectRedis()
let client: Client
let node: TestNode
let heard: Awaited<ReturnType<typeof hearEpochs>>
let folder: string

beforeAll(async () => {
  folder = processors('Numbers', 'Trouble', 'Leaky', 'Hangs', 'Ticks')
  node = await startNode({ namespace: ns, processors: [folder] })
  client = await clientOf(ns)
  heard = await hearEpochs(ns)
})

/** Starts a worker, and waits until it has said something. */
async function speaking(type: string, nickname: string): Promise<{ pid: number; epoch: number }> {
  const { pid, epoch } = await client.start(type, nickname, {}, { timeoutMs: 30_000 })
  await until(() => heard.epochOf(nickname) === epoch)
  return { pid: pid as number, epoch: epoch as number }
}

/** How long it takes from a fault until the worker speaks under its next epoch. */
async function outage(nickname: string, inject: () => unknown): Promise<{ ms: number; epoch: number }> {
  const before = heard.epochOf(nickname)
  const from = performance.now()
  await inject()
  const { at, epoch } = await heard.later(nickname, before)
  return { ms: at - from, epoch }
}

/** Children of the node that host nothing yet. */
async function spares(): Promise<number[]> {
  const hosting = (await client.list()).map(({ pid }) => pid)
  return childrenOf(node.pid).filter((pid) => commandOf(pid).includes('sandbox/main') && !hosting.includes(pid))
}

async function spareReady(): Promise<void> {
  await until(async () => (await spares()).length > 0, { what: 'a spare child' })
  await new Promise((resolve) => setTimeout(resolve, FULL ? 1000 : 300)) // it connects
}

describe('row 1: a child that is killed', () => {
  it('is replaced under the same nickname with the next epoch, at once where a spare one stands ready', async () => {
    const { pid } = await speaking('Numbers', 'killed')
    await spareReady()
    const first = await outage('killed', () => process.kill(pid, 'SIGKILL'))
    measuredMs(1, 'kill -9 of a child, a spare one ready', 150, first.ms)
    expect(first.ms).toBeLessThan(atLeisure(150))
    const view = await shown(client, 'killed', againAfter(null))
    expect(view.epoch).toBe(first.epoch)
    expect(view.restarts).toBe(1)

    await client.restart('killed') // the back-off begins anew
    const again = await shown(client, 'killed', againAfter(first.epoch))
    await until(() => heard.epochOf('killed') === again.epoch)
    await spareReady()
    const second = await outage('killed', async () => {
      for (const spare of await spares()) process.kill(spare, 'SIGKILL')
      process.kill(again.pid as number, 'SIGKILL')
    })
    measuredMs(1, 'kill -9 of a child, no spare one', 1000, second.ms)
    expect(second.ms).toBeLessThan(atLeisure(1000))
    expect(heard.stale).toEqual([])
    await client.stop('killed')
  })
})

together('row 4: a child that is stopped by SIGSTOP', () => {
  it('is judged wedged, killed and replaced, with the reason told', async () => {
    const { pid } = await speaking('Numbers', 'stopped')
    const { ms } = await outage('stopped', () => process.kill(pid, 'SIGSTOP'))
    measuredMs(4, 'SIGSTOP a child', 5000, ms)
    expect(ms).toBeLessThan(atLeisure(5000))
    expect(lives(pid)).toBe(false)
    const error = await redis.hget(names.worker('stopped'), 'last_error')
    expect(error).toMatch(/stopped|no heartbeat/)
    await client.stop('stopped')
  })

  it('is replaced also where it belongs to a repeatable worker and waits for its next tick', async () => {
    await speaking('Ticks', 'ticking')
    const pid = (await client.show('ticking')).pid as number
    const { ms } = await outage('ticking', () => process.kill(pid, 'SIGSTOP'))
    measuredMs(4, 'SIGSTOP the child of a repeatable worker', 5000, ms)
    expect(ms).toBeLessThan(atLeisure(5000))
    await client.stop('ticking')
  })
})

together('row 5: a worker in an endless loop', () => {
  it('is killed and replaced, with the reason told', async () => {
    const { pid } = await speaking('Trouble', 'looping')
    const { ms } = await outage('looping', () => tell(ns, 'Trouble', 'looping', 'loop'))
    measuredMs(5, 'endless synchronous loop in a worker', 10_000, ms)
    expect(ms).toBeLessThan(atLeisure(10_000))
    expect(lives(pid)).toBe(false)
    expect(await redis.hget(names.worker('looping'), 'last_error')).toMatch(/event loop/)
    await client.stop('looping')
  })
})

describe('rows 7 and 8: errors that nobody caught', () => {
  it('fail only the worker they were thrown in, with the stack told', async () => {
    const rounds = FULL ? 100 : 8
    const innocents = ['i1', 'i2', 'i3']
    const epochs = new Map<string, number>()
    for (const nickname of innocents) epochs.set(nickname, (await speaking('Numbers', nickname)).epoch)
    await speaking('Trouble', 'guilty')
    for (let round = 0; round < rounds; round++) {
      const [operation, words] =
        round % 2 ? ['rejectLater', 'nobody awaited this'] : ['throwLater', 'nobody caught this']
      await outage('guilty', () => tell(ns, 'Trouble', 'guilty', operation as string))
      const error = await redis.hget(names.worker('guilty'), 'last_error')
      expect(error).toContain(words)
      expect(error).toMatch(/at .*Trouble\.ts:\d+/)
      const { restarts } = await shown(client, 'guilty', againAfter(null))
      expect(restarts).toBe(round + 1)
    }
    const harmed = innocents.filter((nickname) => heard.epochOf(nickname) !== epochs.get(nickname))
    measured(7, `uncaught errors, ${rounds} times`, '0 innocent workers fail', harmed.length, harmed.length === 0)
    expect(harmed).toEqual([])
    for (const view of await client.list())
      if (innocents.includes(view.nickname)) expect(view).toMatchObject({ restarts: 0, errors: 0 })
    await Promise.all([...innocents, 'guilty'].map((nickname) => client.stop(nickname)))
  }, 300_000)

  it('count process.exit(0) as a crash', async () => {
    await speaking('Trouble', 'exits')
    const { ms } = await outage('exits', () => tell(ns, 'Trouble', 'exits', 'exit'))
    measuredMs(8, 'process.exit(0) in a worker', 2000, ms)
    expect(ms).toBeLessThan(atLeisure(2000))
    const { restarts } = await shown(client, 'exits', againAfter(null))
    expect(restarts).toBe(1)
    expect(await redis.hget(names.worker('exits'), 'last_error')).toContain('exit code 0')
    await client.stop('exits')
  })
})

together('row 9: a worker that takes ever more memory', () => {
  it.each(['slowly', 'atOnce'])('is restarted with the reason told (%s), and the node lives', async (operation) => {
    const nickname = `leaks-${operation}`
    const { epoch } = await client.start('Leaky', nickname)
    await tell(ns, 'Leaky', nickname, operation)
    const view = await shown(client, nickname, againAfter(epoch))
    const reason = (await redis.hget(names.worker(nickname), 'last_error')) ?? ''
    expect(reason).toMatch(/memory.*160 MB/)
    expect(view.restarts).toBe(1)
    const [{ memory_mb = 0 } = {}] = await client.nodes()
    measured(
      9,
      `heap leak (${operation}), maxMemoryMb 160`,
      'node < 250 MB, reason named',
      `node ${memory_mb} MB`,
      memory_mb < 250,
    )
    expect(memory_mb).toBeLessThan(400)
    await client.stop(nickname)
  })
})

together('row 10: a beforeTermination that never ends', () => {
  it.each(['waits', 'loops'])('is cut short after the grace period, and that is told (%s)', async (how) => {
    const { pid } = await client.start('Hangs', `hangs-${how}`, { how })
    const from = performance.now()
    const { stop_info } = await client.stop(`hangs-${how}`, { timeoutMs: 30_000 })
    await until(() => !lives(pid as number), { everyMs: 5 })
    const ms = performance.now() - from
    measuredMs(10, `beforeTermination never ends (${how}), grace 1 s`, 2000, ms)
    expect(ms).toBeLessThan(atLeisure(2000))
    expect(stop_info).toMatch(/did not end/)
  })
})

together('row 11: a broken processor file', () => {
  it('is told apart from a compiler that was killed, which is started again', async () => {
    for (const pid of childrenOf(node.pid).filter((pid) => commandOf(pid).includes('esbuild')))
      process.kill(pid, 'SIGKILL')
    writeFileSync(
      join(folder, 'Sound.ts'),
      "import { defineProcessor } from 'hysas'\nexport default defineProcessor({ start() {} })",
    )
    const sound = await until(async () => (await client.types()).find(({ type }) => type === 'Sound'))
    expect(sound.error).toBe('')
  })

  it('can not be started, and says why', async () => {
    writeFileSync(join(folder, 'Syntax.ts'), 'export default {')
    writeFileSync(join(folder, 'Nothing.ts'), 'export const x = 1')
    writeFileSync(join(folder, 'Wrong.ts'), 'export default { start: 5 }')
    writeFileSync(join(folder, 'Throws.ts'), 'throw new Error("no such device")')
    const broken = ['Nothing', 'Syntax', 'Throws', 'Wrong']
    const types = await until(
      async () => {
        const types = (await client.types()).filter(({ type }) => broken.includes(type))
        return types.length === 4 && types.every(({ error }) => error) ? types : undefined
      },
      { timeoutMs: 20_000 },
    )
    expect(types.find(({ type }) => type === 'Throws')?.error).toContain('no such device')
    for (const type of broken) {
      await expect(client.start(type, `b-${type}`)).rejects.toMatchObject({
        code: 'BROKEN_TYPE',
        message: expect.stringContaining(type),
      })
    }
    for (const type of broken) rmSync(join(folder, `${type}.ts`))
  })

  it('that fails only when it is run is tried again with growing pauses, not in a storm', async () => {
    const flag = join(folder, 'broken-now')
    writeFileSync(
      join(folder, 'Later.ts'),
      `import { existsSync } from 'node:fs'
import { defineProcessor } from 'hysas'
if (existsSync(${JSON.stringify(flag)})) throw new Error('the device went away')
export default defineProcessor({ start() {}, restart: { minDelayMs: 10, maxDelayMs: 50 } })`,
    )
    await until(async () => (await client.types()).some(({ type, version }) => type === 'Later' && version), {
      timeoutMs: 20_000,
    })
    const { pid } = await client.start('Later', 'later')
    writeFileSync(flag, '')
    process.kill(pid as number, 'SIGKILL')
    const seconds = FULL ? 60 : 8
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
    const view = await client.show('later')
    // each failure counts as one; the first was the kill
    const starts = view.restarts - 1
    measured(11, `throws at import, for ${seconds} s`, '≤ 6 starts a minute', starts, starts <= 6)
    expect(starts).toBeLessThanOrEqual(6)
    expect(starts).toBeGreaterThan(0)
    expect(view.status).toBe('restarting')
    expect(view.error_msg).toContain('the device went away')
    expect(existsSync(flag)).toBe(true)
    rmSync(flag)
    await shown(client, 'later', ({ status }) => status === 'started', 60_000)
    await client.stop('later')
  }, 150_000)
})
