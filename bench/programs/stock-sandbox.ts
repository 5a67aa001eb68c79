import { join } from 'node:path'
import { type ConnectionOptions, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { inProgram } from '../lib/in-program.js'

/** BullMQ's own sandbox, as its documentation has it: a Worker with the path of a processor file. */
await inProgram<{ url: string; queue: string; concurrency: number; processor: string }>(
  async ({ url, queue, concurrency, processor }, tell) => {
    const connection = new Redis(url, { maxRetriesPerRequest: null }) as unknown as ConnectionOptions
    const worker = new Worker(queue, join(import.meta.dirname, `${processor}.mjs`), {
      connection,
      concurrency,
      lockDuration: 30_000,
    })
    worker.on('error', () => {})
    await worker.waitUntilReady()
    tell('ready')
  },
)
