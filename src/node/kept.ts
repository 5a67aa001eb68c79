import type { Redis } from 'ioredis'
import type { EndReason } from '../contract.js'
import type { Logger } from '../log.js'
import { END_JOB } from '../protocol.js'
import { restRepeatable } from '../redis/fleet-scripts.js'
import type { Names } from '../redis/names.js'
import { readHolders } from '../redis/wish-scripts.js'
import type { WorkerChild } from './worker-child.js'

export interface KeptChild {
  child: WorkerChild
  type: string
  version: string
  revision: number
  /** The run token that the child claimed with. */
  token: string
  graceMs: number
  /** Of the parameters that it was given last, as Redis has them. */
  params?: string | undefined
}

export type Kept = ReturnType<typeof createKept>

/**
 * Children of repeatable workers between two ticks: module state lasts as long as they do. One that the worker no longer
 * belongs to (commanded anew, or ticked elsewhere since) is ended.
 */
export function createKept({ redis, names, log }: { redis: Redis; names: Names; log: Logger }) {
  const byNickname = new Map<string, KeptChild>()
  /** Children whose end is listened for: each comes back after every tick. */
  const watched = new WeakSet<WorkerChild>()

  const drop = (nickname: string): KeptChild | undefined => {
    const entry = byNickname.get(nickname)
    byNickname.delete(nickname)
    return entry
  }

  /** Lets the child run `beforeTermination`, within its grace, and kills it. */
  const finish = async (nickname: string, entry: KeptChild, reason: EndReason): Promise<void> => {
    const { child, graceMs, revision } = entry
    if (child.exited) return
    const answered = new Promise<void>((resolve) => {
      child.on('message', () => resolve())
      child.on('exit', () => resolve())
      setTimeout(resolve, graceMs).unref()
    })
    const data = JSON.stringify({ nickname, revision, reason })
    await child.send({ cmd: 1, job: { id: 'end', name: END_JOB, data }, token: '' })
    await answered
    await child.kill('SIGKILL')
    if (reason === 'shutdown') await restRepeatable(redis, names, { nickname, ...entry }, 'its node was shut down')
    log.debug({ nickname, reason }, 'the child of a repeatable worker was ended')
  }

  return {
    size: () => byNickname.size,
    has(type: string): boolean {
      for (const entry of byNickname.values()) if (entry.type === type && !entry.child.exited) return true
      return false
    },

    keep(nickname: string, entry: KeptChild): void {
      byNickname.set(nickname, entry)
      const { child } = entry
      if (watched.has(child)) return
      watched.add(child)
      child.once('exit', () => {
        if (byNickname.get(nickname)?.child === child) byNickname.delete(nickname)
      })
    },

    /**
     * The child for the next tick, if it still fits; it is the caller's then. One that another run has replaced (its node was
     * stopped for a while) is ended, or the worker would go back and forth between two. So is one that has loaded an older
     * version of the file: what that has left behind (timers, connections) would run on beside the new one.
     */
    take(nickname: string, revision: number, holder: string | undefined, bundle: string): WorkerChild | undefined {
      const entry = drop(nickname)
      if (!entry || entry.child.exited) return undefined
      const isHolder = (holder ?? entry.token) === entry.token
      if (entry.revision === revision && isHolder && entry.child.processFile === bundle) return entry.child
      void finish(nickname, entry, 'restart')
      return undefined
    },

    /** The same, with all that is known of it, where it has loaded just this; else it stays. */
    takeAsItIs(nickname: string, revision: number, bundle: string): KeptChild | undefined {
      const entry = byNickname.get(nickname)
      if (!entry || entry.child.exited || entry.revision !== revision || entry.child.processFile !== bundle)
        return undefined
      byNickname.delete(nickname)
      return entry
    },

    async end(nickname: string, reason: EndReason): Promise<void> {
      const entry = drop(nickname)
      if (entry) await finish(nickname, entry, reason)
    },

    async endAll(reason: EndReason): Promise<void> {
      const all = [...byNickname]
      byNickname.clear()
      await Promise.all(all.map(([nickname, entry]) => finish(nickname, entry, reason)))
    },

    /** Ends children whose worker is unwanted, commanded anew, or has had its tick elsewhere. */
    async check(): Promise<void> {
      const all = [...byNickname]
      const holders = await readHolders(
        redis,
        names,
        all.map(([nickname]) => nickname),
      )
      for (const [i, [nickname, entry]] of all.entries()) {
        const { wanted, revision, token } = holders[i] ?? {}
        if (byNickname.get(nickname) !== entry) continue
        if (wanted && revision === entry.revision && token === entry.token) continue
        byNickname.delete(nickname)
        void finish(nickname, entry, wanted ? 'restart' : 'stop')
      }
    },
  }
}
