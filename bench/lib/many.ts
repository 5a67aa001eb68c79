import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../test/helpers/until.js'
import type { Bench } from './bench.js'
import type { Fleet, hearFleet } from './fleet.js'

export const nicknames = (count: number, prefix = 'w'): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`)

/** Commands that are sent before an answer is waited for: a client doesn't wait for ever for the first of thousands. */
const AT_ONCE = 200

/** Commands all at once. Resolves when the last is heard as started, with the ms from the first command on. */
export async function startMany(
  { client }: Pick<Fleet, 'client'>,
  heard: Awaited<ReturnType<typeof hearFleet>>,
  type: string,
  names: readonly string[],
  timeoutMs = 120_000,
): Promise<number> {
  const started = heard.started(names, { timeoutMs })
  const before = performance.now()
  const left = [...names]
  const lane = async () => {
    for (let nickname = left.shift(); nickname !== undefined; nickname = left.shift()) {
      await client.start(type, nickname, {}, { noWait: true })
    }
  }
  await Promise.all([...Array.from({ length: AT_ONCE }, lane), started])
  return Math.max(...(await started).values()) - before
}

/** Stops all, and waits until none of them runs. */
export async function stopMany({ client }: Pick<Fleet, 'client'>, names: readonly string[]): Promise<void> {
  const wanted = new Set(names)
  await Promise.all(names.map((nickname) => client.stop(nickname, { noWait: true })))
  await until(
    async () => (await client.list()).every(({ nickname, status }) => !wanted.has(nickname) || status === 'terminated'),
    { timeoutMs: 60_000, everyMs: 250, what: 'all have stopped' },
  )
  await sleep(1000)
}

/** Node's own start, `node -e 0`, `count` times, as many at a time as the machine has cores: ms for all of them. */
export async function nodeStarts(count: number, atOnce: number): Promise<number> {
  // as little as our children get: certificates that a variable names would take Node as long as its own start
  const env = { PATH: process.env.PATH }
  let left = count
  const before = performance.now()
  const lane = async () => {
    while (left-- > 0) {
      const child = spawn(process.execPath, ['-e', '0'], { env, stdio: 'ignore' })
      await new Promise((resolve) => child.once('exit', resolve))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  return performance.now() - before
}

/** Fails early where a shared worker costs a process: hundreds of them would be too much for the machine. */
export async function mustShare(bench: Bench, fleet: Fleet, processesOf: (pid: number) => readonly number[]) {
  bench.progress('do shared workers share their processes?')
  const before = processesOf(fleet.node.pid).length
  const few = nicknames(12, 'probe')
  await Promise.all(few.map((nickname) => fleet.client.start('IdleShared', nickname, {}, { timeoutMs: 30_000 })))
  const more = processesOf(fleet.node.pid).length - before
  if (more > 6) throw new Error(`12 shared workers took ${more} processes`)
  await stopMany(fleet, few)
}
