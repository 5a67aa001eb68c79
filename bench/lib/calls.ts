import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from './bench.js'

/**
 * Redis calls a second that clients make, over `seconds`: what a script calls within itself doesn't count. By name, too,
 * for finding out.
 */
export async function callsPerSecond(
  bench: Bench,
  url: string,
  seconds: number,
): Promise<{ all: number; byName: Record<string, number> }> {
  const counts = new Map<string, number>()
  let all = 0
  const stop = await monitor(bench, url, ({ name, first }) => {
    all++
    const called = /^eval/i.test(name) ? `${name} ${first.slice(0, 8)}` : name
    counts.set(called.toLowerCase(), (counts.get(called.toLowerCase()) ?? 0) + 1)
  })
  await sleep(seconds * 1000)
  stop()
  const byName = Object.fromEntries([...counts].map(([name, count]) => [name, count / seconds]))
  return { all: all / seconds, byName }
}

/** A line of MONITOR: `+1700000000.123456 [0 127.0.0.1:50000] "get" "key"`; a script's own calls come from `lua`. */
const LINE = /^\+[\d.]+ \[\d+ ((?!lua)[^\]]+)\] "([^"]*)"(?: "([^"]*)")?/

/** Hears every call that a client makes, until the returned function is called. */
async function monitor(
  bench: Bench,
  url: string,
  onCall: (call: { name: string; first: string }) => void,
): Promise<() => void> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  bench.release(() => socket.destroy())
  socket.on('error', () => {}) // its server ends with the row
  const begun = new Promise((resolve) => socket.once('data', resolve))
  createInterface({ input: socket }).on('line', (line) => {
    const [, , name, first = ''] = LINE.exec(line) ?? []
    if (name) onCall({ name, first })
  })
  socket.write('MONITOR\r\n')
  await begun
  return () => socket.destroy()
}
