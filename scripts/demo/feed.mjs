import { appendFileSync, renameSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { sampleLog } from './sample-log.mjs'

/** Then the log is rotated, as logrotate would do it. */
const ROTATE_BYTES = 200_000

/** Writes the sample log into the file at a living pace until the signal aborts. */
export async function feedLog(file, signal) {
  for (const { line, waitMs } of sampleLog()) {
    await sleep(waitMs, undefined, { signal }).catch(() => {})
    if (signal.aborted) return
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > ROTATE_BYTES) renameSync(file, `${file}.1`)
    appendFileSync(file, `${stamp(new Date())} bastion ${line}\n`)
  }
}

/** As syslog writes the time: `Nov  2 17:04:09`, local. */
function stamp(date) {
  const day = String(date.getDate()).padStart(2)
  return `${date.toLocaleString('en-US', { month: 'short' })} ${day} ${date.toTimeString().slice(0, 8)}`
}
