import { createRequire } from 'node:module'
import type { ChildPool, Job } from 'bullmq'

/** BullMQ's own driver of a sandboxed job. Its package doesn't name it at the top, so it is fetched by its path. */
export const { default: sandbox } = createRequire(import.meta.url)('bullmq/dist/cjs/classes/sandbox.js') as {
  default: <Data, Result>(
    processFile: string,
    pool: ChildPool,
  ) => (job: Job<Data, Result>, token: string, signal: AbortSignal) => Promise<Result>
}
