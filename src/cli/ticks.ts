import { setTimeout as sleep } from 'node:timers/promises'
import type { ProcessorManifest } from '../contract.js'
import type { Harness } from '../testing.js'

/** Ticks of a repeatable processor, at once and then when they are due, one at a time, until the signal aborts. */
export async function ticksOf(harness: Harness, manifest: ProcessorManifest, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const begun = Date.now()
    await harness.tick()
    const due = await nextAfter(manifest, begun)
    await sleep(Math.max(0, due - Date.now()), undefined, { signal }).catch(() => {})
  }
}

async function nextAfter({ every, cron, timezone }: ProcessorManifest, begun: number): Promise<number> {
  if (cron === null) return begun + (every ?? 1000)
  const { CronExpressionParser } = await import('cron-parser')
  return CronExpressionParser.parse(cron, { tz: timezone ?? 'UTC' })
    .next()
    .getTime()
}
