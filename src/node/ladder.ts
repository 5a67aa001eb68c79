import type { EndReason } from '../contract.js'

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
  graceMs: number,
  send: (signal: 'SIGTERM' | 'SIGKILL') => void,
): () => void {
  if (abort.signal.aborted) return () => {}
  abort.abort(reason)
  const timers = [setTimeout(send, graceMs, 'SIGTERM'), setTimeout(send, graceMs + TERM_MS, 'SIGKILL')]
  return () => {
    for (const timer of timers) clearTimeout(timer)
  }
}
