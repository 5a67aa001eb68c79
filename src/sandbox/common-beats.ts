import type { Redis } from 'ioredis'
import { messageOf } from '../errors.js'
import { type Beat, beatMany } from '../redis/beat-scripts.js'
import type { Names } from '../redis/names.js'
import { dueAfterMs, infoText } from '../redis/run-scripts.js'
import { fieldsOf, type Heartbeat, type HeartbeatOptions, statsOf } from './heartbeat.js'
import { watchChanges } from './unchanged.js'
import { asNobody } from './whose.js'

/** The heartbeats of all workers of a process, with one timer, many in one call of a script. */
export interface CommonBeats {
  /** Like `startHeartbeat`, for one more worker. */
  start(of: HeartbeatOptions): Heartbeat
  close(): void
}

/** Which are due is looked at so often, ms: so a second's beats go in ten parts. */
const SLICE_MS = 100
/** In one call of the script, so that Redis's other clients don't wait: it takes a millisecond or two. */
const AT_ONCE = 200
/** How long a run waits for its fleet to be put back, where Redis has lost its data, ms. */
const LOST_MS = 15_000
/** Event-loop delay is told in such steps, ms: it is that of all, and each change of it makes all beats anew. */
const DELAY_STEP_MS = 10

interface Member {
  of: HeartbeatOptions
  keys: readonly [worker: string, info: string]
  name: string
  unchanged: (loopDelay: number) => boolean
  /** Field and text of what Redis has by now: only what differs is sent again. */
  sent: Map<string, string>
  /** Of the whole beat, as it is published; kept while nothing changes. */
  json: string
  dueAt: number
  wanted: boolean
  stopped: boolean
  /** Resolve when a beat that begins from now on is written. */
  waiting: (() => void)[]
  /** Resolves when the one that is under way is written. */
  underWay: Promise<void> | undefined
  lostAt: number | undefined
}

export function createCommonBeats({ redis, names }: { redis: Redis; names: Names }): CommonBeats {
  const members = new Set<Member>()
  const wanting: Member[] = []
  let writing = false
  let loopDelay = 0

  const want = (member: Member) => {
    if (member.wanted || member.stopped) return
    member.wanted = true
    wanting.push(member)
    if (writing) return
    writing = true
    asNobody(() => setImmediate(() => void writeAll()))
  }

  const writeAll = async () => {
    while (wanting.length) {
      const batch = wanting.splice(0, AT_ONCE)
      const ended = batch.filter(({ stopped, of }) => stopped || of.fence.closed)
      for (const member of ended) for (const resolve of member.waiting.splice(0)) resolve()
      await writeBatch(batch.filter((member) => !ended.includes(member)))
    }
    writing = false
  }

  const writeBatch = async (batch: Member[]) => {
    if (!batch.length) return
    let done = () => {}
    const underWay = new Promise<void>((resolve) => {
      done = resolve
    })
    const waiting = batch.map((member) => {
      member.wanted = false
      member.underWay = underWay
      return member.waiting.splice(0)
    })
    try {
      const answers = await beatMany(redis, names, batch.map(beatOf))
      batch.forEach((member, i) => {
        settle(member, answers[i])
      })
    } catch (error) {
      for (const member of batch) {
        member.sent.clear()
        member.of.onProblem(`A heartbeat could not be written: ${messageOf(error)}`)
      }
    }
    for (const member of batch) if (member.underWay === underWay) member.underWay = undefined
    for (const resolve of waiting.flat()) resolve()
    done()
  }

  const beatOf = (member: Member): Beat => {
    const { of, sent, keys, name } = member
    const { run } = of.fence
    const dueMs = dueAfterMs(of.seconds)
    // also where Redis wants all of it: what is the same from now on is seen from here
    const unchanged = member.unchanged(loopDelay)
    if (unchanged && sent.size) return { keys, name, token: run.token, dueMs, json: member.json, changed: NOTHING }
    const fields = fieldsOf(of, loopDelay)
    const changed: string[] = []
    for (const field in fields) {
      const text = infoText(fields[field])
      if (sent.get(field) === text) continue
      sent.set(field, text)
      changed.push(field, text)
    }
    if (changed.length || !member.json) member.json = JSON.stringify(fields).slice(1)
    return { keys, name, token: run.token, dueMs, json: member.json, changed }
  }

  const settle = (member: Member, answer: number | undefined) => {
    if (answer === 1) {
      member.lostAt = undefined
      return
    }
    member.sent.clear() // what Redis has is not what it had
    if (answer === -1) member.of.fence.refused()
    if (answer === -2) {
      member.lostAt ??= performance.now()
      if (performance.now() - member.lostAt > LOST_MS) member.of.fence.refused()
    }
    if (answer === 2 || answer === -2) member.dueAt = performance.now() // with all there is
  }

  const timer = setInterval(() => {
    const now = performance.now()
    for (const member of members) {
      if (member.dueAt > now) continue
      member.dueAt = now + member.of.seconds * 1000 - SLICE_MS / 2
      const delay = Math.round(member.of.loopDelayMs())
      loopDelay = Math.round(delay / DELAY_STEP_MS) * DELAY_STEP_MS
      member.of.onStats(statsOf(member.of, delay))
      if (!member.underWay) want(member)
    }
  }, SLICE_MS).unref()

  return {
    start(of) {
      const intervalMs = of.seconds * 1000
      const { type, nickname } = of.fence.run
      const member: Member = {
        of,
        keys: [names.worker(nickname), names.info(type, nickname)],
        name: `${type}.${nickname}`,
        unchanged: watchChanges(of),
        sent: new Map(),
        json: '',
        // those that start together must not beat together
        dueAt: performance.now() + intervalMs * (0.5 + Math.random() / 2),
        wanted: false,
        stopped: false,
        waiting: [],
        underWay: undefined,
        lostAt: undefined,
      }
      members.add(member)
      return {
        beat() {
          if (member.stopped || of.fence.closed) return Promise.resolve()
          want(member)
          return new Promise((resolve) => member.waiting.push(resolve))
        },
        fields: () => fieldsOf(of, loopDelay),
        async stop() {
          member.stopped = true
          members.delete(member)
          await member.underWay
        },
      }
    },
    close: () => clearInterval(timer),
  }
}

const NOTHING: readonly string[] = []
