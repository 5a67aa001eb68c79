import { copyFileSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Client, WorkerView } from '../../src/client.js'
import { namesOf } from '../../src/redis/names.js'
import { temporaryFolder } from '../helpers/folder.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

/** A folder with the named ones of test/faults/processors; the test may change it. */
export function processors(...types: string[]): string {
  const folder = join(temporaryFolder('hysas-faults'), 'processors')
  mkdirSync(folder, { recursive: true })
  for (const type of types)
    copyFileSync(join(import.meta.dirname, 'processors', `${type}.ts`), join(folder, `${type}.ts`))
  return folder
}

export interface Heard {
  nickname: string
  epoch: number
  at: number
}

/**
 * Hears all Pub channels of a namespace, whose messages carry the epoch of their run, and notes what should never be: a
 * message of an older epoch after one of a newer.
 */
export async function hearEpochs(namespace: string) {
  const names = namesOf(namespace)
  const subscriber = connectRedis()
  const last = new Map<string, Heard>()
  const stale: string[] = []
  let gapMs = 0
  subscriber.on('pmessage', (_pattern: string, channel: string, raw: string) => {
    const nickname = names.parsePub(channel)?.nickname ?? ''
    const { epoch } = JSON.parse(raw) as { epoch?: number }
    if (epoch === undefined) return
    const at = performance.now()
    const before = last.get(nickname)
    if (before && epoch < before.epoch) stale.push(`${nickname}: ${epoch} after ${before.epoch}`)
    if (before) gapMs = Math.max(gapMs, at - before.at)
    if (!before || epoch >= before.epoch)
      last.set(nickname, { nickname, epoch, at: epoch === before?.epoch ? before.at : at })
  })
  await subscriber.psubscribe(names.pubPattern())
  return {
    stale,
    epochOf: (nickname: string): number => last.get(nickname)?.epoch ?? 0,
    /** When the first message of its present epoch came, by the monotonic clock. */
    since: (nickname: string): number => last.get(nickname)?.at ?? 0,
    /** Resolves with the present epoch once it is above `epoch`, and with when its first message came. */
    later: (nickname: string, epoch: number, timeoutMs = 30_000): Promise<Heard> =>
      until(
        () => {
          const heard = last.get(nickname)
          return heard && heard.epoch > epoch ? heard : undefined
        },
        { timeoutMs, everyMs: 2, what: `${nickname} speaks again, later than ${epoch}` },
      ),
  }
}

/** Has a worker do what one of its operations does, without waiting for an answer: it may not be able to give one. */
export async function tell(namespace: string, type: string, nickname: string, operation: string): Promise<void> {
  const redis = connectRedis()
  const message = { type: 'sys', operation_name: operation, kwargs: {} }
  await redis.publish(namesOf(namespace).workerCommand(type, nickname), JSON.stringify(message))
  redis.disconnect()
}

/** Waits until the worker is as `fits` says. */
export const shown = (
  client: Client,
  nickname: string,
  fits: (view: WorkerView) => boolean,
  timeoutMs = 30_000,
): Promise<WorkerView> =>
  until(
    async () => {
      const view = await client.show(nickname)
      return fits(view) ? view : undefined
    },
    { timeoutMs, what: `${nickname} as it should be` },
  )

/** Is up with another run than the one of `epoch`. */
export const againAfter =
  (epoch: number | null) =>
  (view: WorkerView): boolean =>
    view.status === 'started' && (view.epoch ?? 0) > (epoch ?? 0)

/** Pids of all processes whose working folder is inside `folder`: a node, its children, its Redis. Zombies don't count. */
export function processesIn(folder: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && cwdOf(pid).startsWith(folder))
}

function cwdOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return '' // gone, or a zombie
  }
}

/** Pids of the direct children of a process that are still there. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return state !== 'Z' && Number(parent) === pid ? [Number(name)] : []
    } catch {
      return []
    }
  })
}

export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

/** True while a process lives; a zombie does not. */
export function lives(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat[stat.lastIndexOf(')') + 2] !== 'Z'
  } catch {
    return false
  }
}
