import type { Redis } from 'ioredis'
import type { Names } from '../redis/names.js'
import type { Sample } from './views.js'

/** Workers in one pipeline: enough to be quick, few enough not to hold Redis up. */
const BATCH = 200
const FIELDS = [
  'status',
  'epoch',
  'heart_beat',
  'published',
  'received',
  'lost',
  'memory_mb',
  'loop_delay_ms',
  'heart_beat_interval',
] as const

/** The numbers of every running worker's last heartbeat, in no order. */
export async function readSamples(redis: Redis, names: Names): Promise<Sample[]> {
  const members = await redis.zrange(names.beats, '0', '-1')
  const samples: Sample[] = []
  for (let i = 0; i < members.length; i += BATCH) {
    const pipeline = redis.pipeline()
    const batch = members.slice(i, i + BATCH).map(splitMember)
    for (const [type, nickname] of batch) pipeline.hmget(names.info(type, nickname), ...FIELDS)
    const replies = (await pipeline.exec()) ?? []
    for (const [at, [error, reply]] of replies.entries()) {
      if (error) throw error
      const sample = sampleOf(batch[at]?.[1] ?? '', reply as (string | null)[])
      if (sample) samples.push(sample)
    }
  }
  return samples
}

function splitMember(member: string): [type: string, nickname: string] {
  const dot = member.indexOf('.')
  return [member.slice(0, dot), member.slice(dot + 1)]
}

function sampleOf(nickname: string, values: readonly (string | null)[]): Sample | undefined {
  const [status, epoch, beat, published, received, lost, memory, delay, interval] = values
  if (status !== 'started' || !beat) return undefined
  return {
    ...{ nickname, epoch: Number(epoch), heart_beat: Number(beat) },
    ...{ published: Number(published ?? 0), received: Number(received ?? 0), lost: Number(lost ?? 0) },
    ...{ memory_mb: memory ? Number(memory) : null, loop_delay_ms: delay ? Number(delay) : null },
    heart_beat_interval: interval ? Number(interval) : null,
  }
}
