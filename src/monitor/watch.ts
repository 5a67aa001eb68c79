import type { Redis } from 'ioredis'
import { readNodes } from '../fleet/nodes.js'
import { recordEvent } from '../fleet/outbox.js'
import { createQueues } from '../fleet/queues.js'
import { type RecordEvent, type Repair, type RepairLog, reconcile } from '../fleet/reconcile.js'
import { type FleetClock, followRedisClock } from '../redis/clock.js'
import { carryOut, type Member, type Overdue, readOverdue, readRunStates } from '../redis/monitor-scripts.js'
import { forgetEnded, sweepNeverRun } from '../redis/monitor-upkeep.js'
import { type Names, namesOf } from '../redis/names.js'
import { createFollowers } from './followers.js'
import { createForeign } from './foreign.js'
import { againAfterMs, type JudgedRun, judge, silence } from './judge.js'

export interface WatchOptions {
  redis: Redis
  names: Names
  log: RepairLog
  record: RecordEvent
}

export interface WatchReport {
  /** Runs that beat as they should. */
  alive: number
  /** Overdue, but so is everybody: Redis stood still. */
  late: number
  disappeared: (Member & { epoch: number; node: string; message: string })[]
  /** Their nodes were told to end them. */
  wedged: Member[]
  repaired: Repair[]
  /** Forgotten, having ended a day ago. */
  removed: number
}

export type Watch = ReturnType<typeof createWatch>

/** Overdue runs that one tick looks at; more are looked at by the next. */
const AT_ONCE = 1000
const BATCH = 100
/** Where so long passed between two looks, Redis or the whole fleet stood still, and all beats are late alike. */
const GAP_MS = 2500
const GRACE_MS = 2500

/** Judges the heartbeats of a whole fleet, one `tick` at a time; times by Redis's clock. */
export function createWatch({ redis, names, log, record }: WatchOptions) {
  const connection = redis.duplicate({ maxRetriesPerRequest: null, enableOfflineQueue: true })
  connection.on('error', () => {}) // the given one tells
  const queues = createQueues(connection, names)
  const followers = createFollowers(redis, names)
  const foreign = createForeign({ redis, names, log, record })
  let lastMs = Number.NaN
  let graceUntilMs = 0
  let cursor = '0'
  let ticks = 0

  async function judgeAll({ nowMs, members, expected }: Overdue): Promise<WatchReport> {
    const report: WatchReport = { alive: expected, late: 0, disappeared: [], wedged: [], repaired: [], removed: 0 }
    for (let i = 0; i < members.length; i += BATCH) {
      const batch = members.slice(i, i + BATCH)
      const states = await readRunStates(redis, names, batch)
      await Promise.all(
        batch.map(async (member, j) => {
          const state = states[j]
          if (state) await pass(report, member, { ...state, dueMs: member.dueMs }, nowMs)
        }),
      )
    }
    return report
  }

  /** Judges one run and acts. */
  async function pass(report: WatchReport, member: Member & { dueMs: number }, run: JudgedRun, nowMs: number) {
    const verdict = judge(run, nowMs, graceUntilMs)
    if (verdict === 'alive' || verdict === 'ended') return
    report.alive--
    if (verdict === 'late') {
      report.late++
      return
    }
    const { type, nickname } = member
    const { epoch, node } = run
    const message = silence(run, nowMs)
    const data = { heartBeat: run.heartBeatMs, dueMs: run.dueMs }
    const done = await carryOut(redis, names, {
      ...member,
      act: verdict,
      settleAs: run.wanted ? 'restarting' : 'terminated',
      epoch,
      againMs: againAfterMs(run.intervalMs),
      message,
      event: {
        kind: 'disappeared',
        severity: 'error',
        type,
        nickname,
        node,
        epoch,
        source: '',
        message,
        data,
        key: '',
      },
    })
    if (!done) {
      report.alive++ // it has beaten in the meantime
    } else if (verdict === 'disappeared') {
      report.disappeared.push({ type, nickname, epoch, node, message })
      log.warn({ disappeared: nickname, of: type, node, epoch }, `${nickname} has disappeared: ${message}`)
    } else if (verdict === 'wedged') {
      report.wedged.push({ type, nickname })
      log.warn({ wedged: nickname, of: type, node, epoch }, `${nickname} does not answer; its node is told to end it`)
    }
  }

  return {
    /** One look at the whole fleet. Throws what Redis throws; the next tick goes on. */
    async tick(): Promise<WatchReport> {
      const overdue = await readOverdue(redis, names, AT_ONCE)
      const { nowMs } = overdue
      // Not twice in a row: a monitor that is slow for long must judge all the same.
      if (nowMs - lastMs > GAP_MS && lastMs > graceUntilMs) graceUntilMs = nowMs + GRACE_MS
      lastMs = nowMs
      const report = await judgeAll(overdue)
      await followers.refresh(nowMs, overdue.mark)
      report.removed = await forgetEnded(redis, names, nowMs)
      cursor = await sweepNeverRun(redis, names, cursor)
      await foreign.tick(nowMs)
      if (ticks++ % 2 === 0) {
        const nodes = await readNodes(redis, names)
        report.repaired = await reconcile({ redis, names, queues, nodes, record, log })
      }
      return report
    },

    async close(): Promise<void> {
      await queues.close()
      connection.disconnect()
    },
  }
}

/** What the processor `Monitor` needs: a watch over the fleet of a namespace, over connections of its own. */
export function createMonitor({ redis, namespace, log }: { redis: Redis; namespace: string; log: RepairLog }) {
  const names = namesOf(namespace)
  const own = redis.duplicate()
  own.on('error', () => {}) // the given one tells
  const watch = createWatch({ redis: own, names, log, record: (event) => recordEvent(own, names, event) })
  let clock: FleetClock | undefined
  return {
    async tick() {
      // its child hosts nothing else, and what it mends BullMQ schedules by this clock
      if (clock) await clock.sync()
      else clock = await followRedisClock(own)
      return watch.tick()
    },
    async close() {
      clock?.release()
      await watch.close()
      own.disconnect()
    },
  }
}
