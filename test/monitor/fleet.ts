import type { Redis } from 'ioredis'
import { admit, drawRevision } from '../../src/redis/fleet-scripts.js'
import { jobIdOf, type Names } from '../../src/redis/names.js'
import { beat, type ClaimRequest, claim } from '../../src/redis/run-scripts.js'

export interface Run {
  type: string
  nickname: string
  token: string
  revision: number
  epoch: number
  lock: string
  beat(fields?: Record<string, unknown>, dueMs?: number): Promise<boolean>
}

/** Admits a worker, as the desk does. @returns its revision */
export async function want(redis: Redis, names: Names, type: string, nickname: string, kind = 'long-running') {
  const { revision } = await drawRevision(redis, names, nickname, 1000)
  await admit(redis, names, {
    ...{ op: 'start', nickname, revision, type, params: '{}', by: 'test', system: false },
    ...{ kind, isolation: 'process', patient: false },
  })
  return revision
}

/** Stops a worker, as the desk does. */
export async function unwant(redis: Redis, names: Names, nickname: string): Promise<void> {
  const { revision } = await drawRevision(redis, names, nickname, 1000)
  await admit(redis, names, {
    ...{ op: 'stop', nickname, revision, type: '', params: '', by: 'test', system: false },
    ...{ kind: '', isolation: '', patient: false },
  })
}

/** Wants a worker and claims its name, as a child does that holds its job's lock. */
export async function runWorker(
  redis: Redis,
  names: Names,
  type: string,
  nickname: string,
  options: { kind?: string; heartbeatSeconds?: number; mode?: ClaimRequest['mode'] } = {},
): Promise<Run> {
  const revision = await want(redis, names, type, nickname, options.kind)
  const jobId = jobIdOf(nickname, revision)
  const lock = names.jobLock(type, jobId)
  const token = `t-${nickname}`
  const heartbeatSeconds = options.heartbeatSeconds ?? 1
  await redis.set(lock, `lock-${nickname}`)
  const answer = await claim(redis, names, {
    ...{ type, nickname, token, revision, jobId, lockToken: `lock-${nickname}`, mode: options.mode ?? 'run' },
    ...{ node: 'one', pid: 1, heartbeatSeconds, version: 'v' },
  })
  if (!answer.claimed) throw new Error(`Not claimed: ${answer.why}`)
  const identity = { type, nickname, token }
  return {
    ...{ type, nickname, token, revision, epoch: answer.epoch, lock },
    beat: (fields = {}, dueMs = heartbeatSeconds * 1000 + 1000) =>
      beat(redis, names, identity, { status: 'started', ...fields }, dueMs),
  }
}
