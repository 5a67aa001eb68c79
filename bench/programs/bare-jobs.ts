import { type ConnectionOptions, Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { inProgram } from '../lib/in-program.js'

/** Bare BullMQ in one process: jobs that wait are carried out, each a no-op. Tells jobs a second. */
await inProgram<{ url: string; queue: string; count: number; concurrency: number }>(
  async ({ url, queue: name, count, concurrency }, tell) => {
    const connection = () => new Redis(url, { maxRetriesPerRequest: null }) as unknown as ConnectionOptions
    const queue = new Queue(name, { connection: connection() })
    const options = { removeOnComplete: true }
    for (let at = 0; at < count; at += 1000) {
      await queue.addBulk(
        Array.from({ length: Math.min(1000, count - at) }, () => ({ name: 'no-op', data: {}, opts: options })),
      )
    }
    let left = count
    let finished = () => {}
    const all = new Promise<void>((resolve) => {
      finished = resolve
    })
    const worker = new Worker(name, async () => {}, { connection: connection(), concurrency, autorun: false })
    worker.on('error', () => {})
    worker.on('completed', () => {
      if (--left === 0) finished()
    })
    await worker.waitUntilReady()
    const begun = performance.now()
    void worker.run()
    await all
    tell(count / ((performance.now() - begun) / 1000))
  },
)
