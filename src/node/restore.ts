import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { Queues } from '../fleet/queues.js'
import type { Logger } from '../log.js'
import type { Names } from '../redis/names.js'
import { restoreWorker, type WorkerHash } from '../redis/restore-scripts.js'
import type { Catalog } from './catalog.js'
import type { Run } from './run.js'

/** What other nodes run is theirs to put back first: only they know who holds the name. */
const OTHERS_MS = 4000

/**
 * Puts what Redis has lost of the fleet back: first the workers that run here, which go on, then those that
 * others knew, or that waited for their restart.
 * @returns how many this node put back
 * @throws what the first said that could not be put back, after all have been tried; it may be called again
 */
export async function restoreFleet(
  of: {
    redis: Redis
    names: Names
    queues: Queues
    catalog: Catalog
    log: Logger
    runs(): readonly Run[]
    look(type: string): void
  },
  lost: readonly WorkerHash[],
): Promise<number> {
  let count = 0
  const restore = async (hash: WorkerHash, tell = true) => {
    const restored = await restoreWorker(of.redis, of.names, hash)
    if (restored) count++
    of.log.debug({ nickname: hash.nickname, restored, runsHere: hash.running === '1' }, 'putting a worker back')
    const manifest = of.catalog.get(hash.type ?? '')?.manifest
    if (!manifest) return // a node that has the type does it
    const { kind, every, cron, timezone } = manifest
    const { type = '', nickname = '', revision } = hash
    await of.queues.addWorker({ type, nickname, revision: Number(revision), kind, every, cron, timezone }, tell)
  }
  const isHere = ({ nickname, revision }: WorkerHash) =>
    of.runs().find((run) => run.nickname === nickname && String(run.revision) === revision && run.claimed)
  /** One that can not be put back must not keep the others from it. */
  const failures: unknown[] = []
  const attempt = (restoring: Promise<void>) => restoring.catch((error: unknown) => failures.push(error))
  for (const hash of lost) {
    const run = isHere(hash)
    if (!run) continue
    run.orphanedAt ??= performance.now() // the job that comes now stands for it
    await attempt(restore(heldBy(run, hash), false))
    of.look(run.type) // at once, before another node finds it
  }
  if (!lost.every(isHere)) await delay(OTHERS_MS)
  for (const hash of lost) if (!isHere(hash)) await attempt(restore({ ...hash, running: '0' }))
  if (failures.length) throw failures[0]
  of.log.error(
    { workers: lost.length, restored: count },
    'Redis has lost data; what was missing of the fleet was put back from what the nodes know',
  )
  return count
}

function heldBy(run: Run, hash: WorkerHash): WorkerHash {
  const { token = '', epoch = 0 } = run.claimed ?? {}
  return {
    ...hash,
    token,
    epoch: String(epoch),
    pid: String(run.child?.pid ?? ''),
    running: '1',
    run_revision: String(run.revision),
    lock: '',
    lockToken: '',
  }
}
