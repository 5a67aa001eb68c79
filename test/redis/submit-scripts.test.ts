import { type ConnectionOptions, Queue } from 'bullmq'
import { describe, expect, it } from 'vitest'
import { submit } from '../../src/fleet/submit.js'
import { drawRevision } from '../../src/redis/fleet-scripts.js'
import { COMMAND_QUEUE, namesOf } from '../../src/redis/names.js'
import { CAN_ADD_COMMANDS } from '../../src/redis/submit-scripts.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis } from '../helpers/redis.js'

const redis = connectRedis()
const noQueues = () => Promise.reject(new Error('no queue is needed'))

describe('a command', () => {
  it('is the job that a BullMQ Queue makes, added with its revision in one call', async () => {
    expect(CAN_ADD_COMMANDS).toBe(true)
    const names = namesOf(namespace())
    const prefix = `${names.queuePrefix}:${COMMAND_QUEUE}:`
    const data = {
      type: 'Demo',
      nickname: 'Straße',
      params: { a: [], o: {}, big: 2 ** 53, text: '"\\ \u2028' },
      by: 'me',
    }
    const { revision, jobId, reply } = await submit({ redis, names, queues: noQueues }, 'start', data, 5000)
    expect([jobId, reply]).toEqual([`c-${revision}`, `c-${revision}`])
    expect(revision).toBeGreaterThan(Date.now() - 5000)

    const queue = new Queue(COMMAND_QUEUE, {
      connection: redis as unknown as ConnectionOptions,
      prefix: names.queuePrefix,
    })
    const job = await queue.getJob(jobId)
    expect(job?.data).toEqual({ ...data, revision, reply, deadline: expect.any(Number) })
    expect(Math.abs((job?.data.deadline ?? 0) - Date.now() - 5000)).toBeLessThan(5000)
    const KEEP = { age: 86_400, count: 10_000 }
    const options = { jobId: 'other', removeOnComplete: KEEP, removeOnFail: KEEP, stackTraceLimit: 1 }
    await queue.add('start', job?.data, options)
    const [ours, theirs] = await Promise.all([redis.hgetall(prefix + jobId), redis.hgetall(`${prefix}other`)])
    const shape = (hash: Record<string, string>) => {
      const { opts = '{}', data = '{}', timestamp, ...rest } = hash
      return { ...rest, opts: { ...JSON.parse(opts), jobId: '' }, data: JSON.parse(data), timestamp: timestamp?.length }
    }
    expect(shape(ours)).toEqual(shape(theirs))
    expect(await redis.lrange(`${prefix}wait`, 0, -1)).toEqual(['other', jobId])
    expect(await redis.zrange(names.pending('Straße'), 0, '-1')).toEqual([String(revision)])
    expect((await drawRevision(redis, names, 'Straße', 1000)).revision).toBeGreaterThan(revision)
    await queue.close()
  })

  it('that nobody waits for has no answer, and one that is in nobody’s way is not waited for', async () => {
    const names = namesOf(namespace())
    const { jobId, revision } = await submit({ redis, names, queues: noQueues }, 'shutdown', {}, 1000, false)
    const data = JSON.parse((await redis.hget(`${names.queuePrefix}:${COMMAND_QUEUE}:${jobId}`, 'data')) ?? '')
    expect(data).toEqual({ revision, deadline: expect.any(Number) })
    expect(await redis.keys(`${names.pending('')}*`)).toEqual([])
  })
})
