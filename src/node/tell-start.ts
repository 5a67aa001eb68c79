import type { Redis } from 'ioredis'
import type { Names } from '../redis/names.js'
import { noteProven } from '../redis/run-scripts.js'
import type { StoredEvent } from '../store/types.js'
import type { Run } from './run.js'

/** Notes and tells that a run is `started`. `before`: the node of the run before it, or empty. */
export function createTellStart(of: {
  node: string
  redis: Redis
  names: Names
  record(event: Partial<StoredEvent> & { kind: string }): void
}) {
  const { node, redis, names, record } = of
  return (run: Run, before: string): void => {
    const { nickname, type, claimed, entry } = run
    const about = { nickname, type, epoch: claimed?.epoch ?? null, source: node }
    if (claimed) noteProven(redis, names, nickname, claimed.token).catch(() => {}) // Redis is away: the next start notes it
    if (entry.manifest?.kind === 'repeatable') return
    if (before && before !== node) {
      record({ ...about, kind: 'moved', message: `moved from ${before} to ${node}`, data: { from: before, to: node } })
    }
    record({
      ...about,
      kind: 'started',
      message: `started on ${node}`,
      data: { pid: run.child?.pid, version: entry.version },
    })
    run.job
      .log(`${new Date().toISOString()} started on ${node}, process ${run.child?.pid}, epoch ${claimed?.epoch}`)
      .catch(() => {})
  }
}
