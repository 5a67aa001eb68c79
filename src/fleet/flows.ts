import type { Redis } from 'ioredis'
import type { Names } from '../redis/names.js'
import { readWorkers } from './fleet.js'
import type { FlowView, WorkerView } from './views.js'

/** Who hears whom, over which channel, of the workers given; by default of all. */
export async function readFlows(redis: Redis, names: Names, given?: readonly WorkerView[]): Promise<FlowView[]> {
  const [workers, counts] = await Promise.all([given ?? readWorkers(redis, names), redis.hgetall(names.published)])
  const channels = Object.keys(counts)
  const publishers = publishersOf(workers)
  return workers.flatMap(({ nickname, data_feeder, lost_by }) =>
    data_feeder.flatMap((feeder) =>
      matching(feeder, channels).map((channel) => {
        const owner = names.parsePub(channel)?.nickname
        const others = publishers.get(channel) ?? []
        const by = owner === undefined || others.includes(owner) ? others : [owner, ...others]
        const published = Number(counts[channel] ?? 0)
        return { from: owner ?? channel, to: nickname, channel, by, published, lost: lost_by[channel] ?? 0 }
      }),
    ),
  )
}

/** By channel, the workers that publish to it though it is not their own. */
function publishersOf(workers: readonly WorkerView[]): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const { nickname, published_to } of workers) {
    for (const channel of Object.keys(published_to)) found.set(channel, [...(found.get(channel) ?? []), nickname])
  }
  return found
}

/** Channels that a feeder, a channel or a pattern with `*`, stands for. */
function matching(feeder: string, channels: readonly string[]): string[] {
  if (!feeder.includes('*')) return [feeder]
  const pattern = new RegExp(`^${feeder.split('*').map(escapeRegExp).join('[^.]*')}$`)
  return channels.filter((channel) => pattern.test(channel))
}

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
