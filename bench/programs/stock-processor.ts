import type { SandboxedJob } from 'bullmq'

/** A worker without end in BullMQ's own sandbox: says that it has begun, and lives until its process is ended. */
export default async function live(job: SandboxedJob): Promise<void> {
  // a stock child outlives a host that is killed; those of a bench are not to disturb the next one
  process.once('disconnect', () => process.exit())
  await job.updateProgress({ pid: process.pid })
  await new Promise(() => {
    setInterval(() => {}, 60_000)
  })
}
