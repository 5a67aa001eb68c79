import { type ConnectionOptions, Queue, QueueEvents } from 'bullmq'
import type { Bench } from './bench.js'
import { startProgram } from './program.js'

/**
 * Stock BullMQ sandbox in a process of its own: each job is a worker without end in a child.
 * @param processor `stock-processor` does what a worker does, a connection and a heartbeat; `bare-processor` nothing
 */
export async function startStock(
  bench: Bench,
  url: string,
  concurrency: number,
  processor: 'stock-processor' | 'bare-processor' = 'stock-processor',
) {
  const name = `stock-${Math.random().toString(36).slice(2, 8)}`
  const program = startProgram(bench, 'stock-sandbox', { url, queue: name, concurrency, processor })
  await program.next()
  const connection = () => bench.connect(url) as unknown as ConnectionOptions
  const queue = new Queue(name, { connection: connection() })
  const events = new QueueEvents(name, { connection: connection() })
  bench.release(() => Promise.all([queue.close(), events.close()]))
  queue.on('error', () => {})
  events.on('error', () => {})
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady()])
  const listeners = new Set<(jobId: string, pid: number, at: number) => void>()
  events.on('progress', ({ jobId, data }) => {
    const at = performance.now()
    for (const listener of listeners) listener(jobId, (data as { pid: number }).pid, at)
  })
  let made = 0

  return {
    program,
    /** Starts `count` at once. Resolves when the last has begun, with the time of that and the children's pids. */
    async start(count = 1): Promise<{ ms: number; pids: number[]; ids: string[] }> {
      const ids = Array.from({ length: count }, () => `job-${++made}`)
      const begun = begins(ids)
      const before = performance.now()
      await queue.addBulk(ids.map((jobId) => ({ name: 'live', data: { url }, opts: { jobId, attempts: 1e9 } })))
      const { at, pids } = await begun
      return { ms: at - before, pids, ids }
    },
    /** Resolves when each of the jobs has begun, again. */
    begins,
  }

  function begins(ids: readonly string[]): Promise<{ at: number; pids: number[] }> {
    const waiting = new Set(ids)
    const pids: number[] = []
    return new Promise((resolve) => {
      const listener = (jobId: string, pid: number, at: number) => {
        if (!waiting.delete(jobId)) return
        pids.push(pid)
        if (waiting.size) return
        listeners.delete(listener)
        resolve({ at, pids })
      }
      listeners.add(listener)
    })
  }
}

export function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // gone by itself
    }
  }
}
