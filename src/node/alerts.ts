import type { Redis } from 'ioredis'
import { messageOf } from '../errors.js'
import { readNodes } from '../fleet/nodes.js'
import { readNodeTroubles, readWorkerTroubles, type Trouble } from '../fleet/troubles.js'
import type { Logger } from '../log.js'
import { leaseAlerts, readAlerts, releaseAlerts, writeAlerts } from '../redis/alert-scripts.js'
import { redisNowMs } from '../redis/fleet-scripts.js'
import { type Names, NICKNAME } from '../redis/names.js'
import { createAlertQueue, type Problem } from './alert-queue.js'
import { STORE_PROBLEM } from './health.js'

export interface AlertOptions {
  redis: Redis
  names: Names
  /** Of this node. */
  token: string
  url: string
  log: Logger
  /** What is wrong around this node, as `createHealth` tells. */
  problems(): readonly string[]
}

/** A problem that is gone for so long is over, ms: one that comes back sooner has never been over. */
const SETTLED_MS = 5000
/** So long it must last before it is told, ms. */
const LASTS_MS: Partial<Record<Trouble['kind'], number>> = { database: 30_000, redis: 3000, node_gone: 3000 }
/** All workers are looked at so often; in between those of which an event tells. */
const SWEEP_MS = 60_000
/** Workers read together; and the time that one look takes for such batches of a sweep, ms: Redis may be slow, or far away. */
const BATCH = 200
const SWEEPING_MS = 1000
/** After Redis was away all nodes seem gone. */
const GRACE_MS = 6000
/** More problems than this at the same time are not kept apart. */
const MOST = 1000
/** A lost Redis is told; who was not listening at the time reads the event. */
const DATA_LOST_MS = 30_000
/** Redis is away when it has not answered by then. */
const ANSWER_MS = 2000
const TELLING = /"kind":"(disappeared|crashed|failed|data_lost)"/

/**
 * Tells somebody outside of problems of the fleet and of their ends, by HTTP. One node does it, for all: whoever holds the
 * lease. While Redis can not be written that is who held it last. What is open and told is kept in Redis.
 */
export function createAlerts({ redis, names, token, url, log, problems }: AlertOptions) {
  const open = new Map<string, Problem>()
  /** What Redis has not been told yet. */
  const changes = new Map<string, Problem | undefined>()
  const firstSeen = new Map<string, number>()
  const goneSince = new Map<string, number>()
  const named = new Set<string>()
  let holder = false
  let sweptAt = Number.NEGATIVE_INFINITY
  /** Those that the present sweep has not come to yet. */
  let toSweep: readonly string[] = []
  let awayAt = Number.NEGATIVE_INFINITY
  let dataLost: { at: number; message: string } | undefined

  const set = (key: string, problem: Problem | undefined): void => {
    if (problem) open.set(key, problem)
    else open.delete(key)
    changes.set(key, problem)
  }

  const queue = createAlertQueue({
    url,
    fleet: names.namespace,
    log,
    open,
    onPosted(keys, taken) {
      for (const key of keys) {
        const problem = open.get(key)
        if (problem?.over) set(key, undefined)
        else if (problem) set(key, { ...problem, told: taken ? 'yes' : 'given up' })
      }
    },
  })

  /** @returns whether Redis answers and takes what is written */
  async function reach(): Promise<boolean> {
    try {
      const held = await answered(leaseAlerts(redis, names, token))
      if (held && !holder) {
        sweptAt = Number.NEGATIVE_INFINITY
        toSweep = []
      }
      holder = held
      if (held) {
        for (const [key, problem] of await answered(readAlerts<Problem>(redis, names)))
          if (!open.has(key) && !changes.has(key)) open.set(key, problem)
        for (const [key, problem] of open) changes.set(key, problem) // also over a Redis that lost its data
      }
      await save()
      if (!held) for (const map of [open, firstSeen, goneSince, named]) map.clear()
      return true
    } catch (error) {
      log.debug({ err: messageOf(error) }, 'alerts: Redis can not be written')
      awayAt = performance.now()
      return false
    }
  }

  async function save(): Promise<void> {
    if (changes.size === 0) return
    const written = new Map(changes)
    await answered(writeAlerts(redis, names, written))
    for (const [key, problem] of written) if (changes.get(key) === problem) changes.delete(key)
  }

  /** Troubles there are now, and which of the open ones can be said to be over where they are not among them. */
  async function gather(
    reached: boolean,
    asked: readonly string[],
  ): Promise<{ found: Map<string, Trouble>; known: (key: string) => boolean }> {
    const found = new Map<string, Trouble>()
    const around = new Set(problems())
    if (!reached) {
      for (const problem of around) found.set(...surrounding(problem))
      return { found, known: (key) => key.startsWith('redis:') }
    }
    for (const node of await answered(readNodes(redis, names))) for (const problem of node.problems) around.add(problem)
    for (const problem of around) found.set(...surrounding(problem))

    const unsettled = new Set<string>()
    const readBatch = async (nicknames: readonly string[]): Promise<void> => {
      const workers = await answered(readWorkerTroubles(redis, names, nicknames))
      for (const [key, trouble] of workers.troubles) found.set(key, trouble)
      for (const key of workers.unsettled) unsettled.add(key)
    }
    const nicknames = [...new Set([...asked, ...[...open.values()].map(({ nickname }) => nickname).filter(Boolean)])]
    for (let i = 0; i < nicknames.length; i += BATCH) await readBatch(nicknames.slice(i, i + BATCH))
    await sweep(readBatch)

    const judgesNodes = performance.now() - awayAt > GRACE_MS
    if (judgesNodes)
      for (const [key, trouble] of await answered(readNodeTroubles(redis, names))) found.set(key, trouble)
    if (dataLost && performance.now() - dataLost.at < DATA_LOST_MS) {
      const about = { type: '', nickname: '', node: '' }
      found.set('data_lost', { ...about, kind: 'data_lost', message: dataLost.message })
    }
    const known = (key: string) => !unsettled.has(key) && (judgesNodes || !key.startsWith('node:'))
    return { found, known }
  }

  /** Goes on with the sweep, or begins one where it is time; what a look does not come to is for the next. */
  async function sweep(readBatch: (nicknames: readonly string[]) => Promise<void>): Promise<void> {
    const began = performance.now()
    if (toSweep.length === 0 && began - sweptAt > SWEEP_MS) {
      toSweep = await answered(redis.smembers(names.workers))
      sweptAt = began
    }
    while (toSweep.length && performance.now() - began < SWEEPING_MS) {
      await readBatch(toSweep.slice(0, BATCH))
      toSweep = toSweep.slice(BATCH)
    }
  }

  function compare(found: ReadonlyMap<string, Trouble>, known: (key: string) => boolean, nowMs: number): void {
    const now = performance.now()
    for (const key of firstSeen.keys()) if (!found.has(key)) firstSeen.delete(key)
    for (const [key, trouble] of found) {
      const since = firstSeen.get(key) ?? now
      firstSeen.set(key, since)
      goneSince.delete(key)
      const before = open.get(key)
      const worse = before !== undefined && trouble.kind === 'failed' && before.kind !== 'failed'
      if ((before && !before.over && !worse) || now - since < (LASTS_MS[trouble.kind] ?? 0)) continue
      if (!before && open.size >= MOST) continue
      set(key, { ...trouble, sinceMs: nowMs - (now - since), told: 'no' })
    }
    for (const [key, problem] of open) {
      if (found.has(key) || problem.over || !known(key)) continue
      const since = goneSince.get(key) ?? now
      goneSince.set(key, since)
      if (now - since < SETTLED_MS) continue
      goneSince.delete(key)
      // what was over before anybody could be told of it
      set(key, problem.told === 'yes' ? { ...problem, over: true } : undefined)
    }
  }

  return {
    /** To be called every second, never twice at once. Does not wait for the receiver. */
    async look(): Promise<void> {
      const reached = await reach()
      if (!holder) return
      const asked = reached ? [...named] : []
      for (const nickname of asked) named.delete(nickname)
      try {
        const { found, known } = await gather(reached, asked)
        compare(found, known, reached ? await answered(redisNowMs(redis)) : Date.now())
      } catch (error) {
        for (const nickname of asked) named.add(nickname) // what was not read is read the next time
        throw error
      }
      if (reached) await save()
      queue.pump()
    },

    /** What came over the channel of events. */
    heard(raw: string): void {
      if (!TELLING.test(raw)) return
      const { kind, nickname, message } = eventOf(raw)
      if (kind === 'data_lost') dataLost = { at: performance.now(), message }
      else if (NICKNAME.test(nickname) && holder && named.size < MOST) named.add(nickname)
    },

    async close(): Promise<void> {
      await queue.close()
      if (holder) await answered(save().then(() => releaseAlerts(redis, names, token)))
    },
  }
}

/** One sentence of what is wrong around a node, as a trouble with its key: all nodes that tell it tell of one. */
function surrounding(problem: string): [string, Trouble] {
  const about = { type: '', nickname: '', node: '', message: problem }
  if (problem.startsWith(STORE_PROBLEM)) return ['database', { ...about, kind: 'database' }]
  return [`redis:${problem}`, { ...about, kind: 'redis' }]
}

/** Whoever reaches Redis may publish there: what is no event is nobody's. */
function eventOf(raw: string): { kind: string; nickname: string; message: string } {
  try {
    const { kind, nickname, message } = JSON.parse(raw) as Record<string, unknown>
    return { kind: String(kind), nickname: String(nickname), message: String(message ?? '').slice(0, 1000) }
  } catch {
    return { kind: '', nickname: '', message: '' }
  }
}

/** A connection of a node waits for Redis as long as it takes; here that is an answer, too. */
async function answered<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ANSWER_MS} ms`)), ANSWER_MS)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
    work.catch(() => {}) // it may still fail later
  }
}
