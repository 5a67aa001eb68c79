import type { EndReason } from '../contract.js'
import type { Child } from './child.js'

/** Between SIGTERM and SIGKILL, ms. */
const TERM_MS = 500

/**
 * Brings a run to its end, step by step: abort (the child runs `beforeTermination`), past the grace period SIGTERM, then
 * SIGKILL. May be called again; the first reason counts.
 * @returns a function that stops the ladder: the run has ended
 */
export function climbDown(
  abort: AbortController,
  reason: EndReason,
  child: () => Child | undefined,
  graceMs: number,
): () => void {
  if (abort.signal.aborted) return () => {}
  abort.abort(reason)
  const timers = [
    setTimeout(() => child()?.childProcess.kill('SIGTERM'), graceMs),
    setTimeout(() => child()?.childProcess.kill('SIGKILL'), graceMs + TERM_MS),
  ]
  return () => {
    for (const timer of timers) clearTimeout(timer)
  }
}
