import type { SandboxedJob } from 'bullmq'

/** A worker without end in BullMQ's own sandbox: says that it has begun, and lives until its process is ended. */
export default async function live(job: SandboxedJob): Promise<void> {
  await job.updateProgress({ pid: process.pid })
  await new Promise(() => {
    setInterval(() => {}, 60_000)
  })
}
