import type { SandboxedJob } from 'bullmq'

/** The least that BullMQ's own sandbox can run: no import, no connection. Says that it has begun, and lives. */
export default async function live(job: SandboxedJob): Promise<void> {
  process.once('disconnect', () => process.exit())
  await job.updateProgress({ pid: process.pid })
  await new Promise(() => {
    setInterval(() => {}, 60_000)
  })
}
