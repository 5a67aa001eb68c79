import type { SandboxedJob } from 'bullmq'
import { Redis } from 'ioredis'

/**
 * What a worker is, in BullMQ's own sandbox: it has a connection, writes and tells a heartbeat every second, and lives
 * until its process is ended. Says that it has begun with its first heartbeat.
 */
export default async function live(job: SandboxedJob<{ url: string }>): Promise<void> {
  // a stock child outlives a host that is killed; those of a bench are not to disturb the next one
  process.once('disconnect', () => process.exit())
  const redis = new Redis(job.data.url)
  const key = `stock:${job.id}`
  const beat = async () => {
    const heartbeat = { heart_beat: Date.now() / 1000, pid: process.pid, status: 'started' }
    await Promise.all([redis.hset(key, heartbeat), redis.publish(key, JSON.stringify(heartbeat))])
  }
  await beat()
  await job.updateProgress({ pid: process.pid })
  await new Promise(() => {
    setInterval(beat, 1000)
  })
}
