import type { Redis } from 'ioredis'
import type { Names } from '../redis/names.js'
import { pinSchedule, type Schedule } from '../redis/queue-scripts.js'
import { type NodeEntry, offerOf } from './nodes.js'
import type { QueuePlan, Wanted } from './plan.js'
import { inTurns } from './turns.js'

/**
 * The schedule that each repeatable worker was started with, by nickname. It keeps that until it is restarted, also when
 * the processor's file is edited. `floating`: of the system, which is not restarted; what the live nodes say counts.
 */
export type Pins = ReadonlyMap<string, Schedule | 'floating'>

/** The schedules that are known; one of an earlier command doesn't count. */
export function pinsOf(wanted: readonly Wanted[]): Pins {
  const pins = new Map<string, Schedule | 'floating'>()
  for (const { nickname, revision, system, schedule } of wanted) {
    const pinned = schedule ? (JSON.parse(schedule) as Schedule & { revision: number }) : undefined
    if (system) pins.set(nickname, 'floating')
    else if (pinned?.revision === revision) pins.set(nickname, pinned)
  }
  return pins
}

/** False where live nodes have the type, and to all of them it has no ticks: its file was edited since the worker was started. */
export function mayTick(nodes: readonly NodeEntry[], type: string): boolean {
  const usable = nodes.flatMap((node) => (node.offered[type]?.usable ? [node.offered[type]] : []))
  return usable.length === 0 || usable.some(({ kind }) => kind === 'repeatable')
}

/** The schedules that a worker may have, best first: before its own is known, that of any live node will do. */
export function allowedSchedules(
  nodes: readonly NodeEntry[],
  pins: Pins,
  { nickname, type }: Wanted,
): readonly Schedule[] {
  if (!mayTick(nodes, type)) return []
  const pinned = pins.get(nickname)
  if (pinned && pinned !== 'floating') return [pinned]
  const offers = [offerOf(nodes, type), ...nodes.map((node) => node.offered[type])]
  return offers.flatMap((offer) => (offer?.usable && offer.kind === 'repeatable' ? [offer] : []))
}

/** Keeps the schedules that were found in order for the first time. */
export async function pinNew(redis: Redis, names: Names, sound: QueuePlan['sound'], pins: Pins): Promise<void> {
  const fresh = sound.filter(({ worker }) => !pins.has(worker.nickname))
  await inTurns(fresh, ({ worker, schedule }) => pinSchedule(redis, names, worker.nickname, worker.revision, schedule))
}
