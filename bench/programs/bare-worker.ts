import { type ConnectionOptions, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { inProgram } from '../lib/in-program.js'

/** A bare BullMQ Worker whose jobs do nothing. */
await inProgram<{ url: string; queue: string }>(async ({ url, queue }, tell) => {
  const connection = new Redis(url, { maxRetriesPerRequest: null }) as unknown as ConnectionOptions
  const worker = new Worker(queue, async () => {}, { connection })
  worker.on('error', () => {})
  await worker.waitUntilReady()
  tell('ready')
})
