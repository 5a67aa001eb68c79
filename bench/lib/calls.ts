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
  const redis = bench.connect(url)
  const monitor = await redis.monitor()
  const counts = new Map<string, number>()
  let all = 0
  monitor.on('monitor', (_time: string, args: string[], source: string) => {
    if (source === 'lua') return
    all++
    const [name = '', first = ''] = args
    const called = /^eval/i.test(name) ? `${name} ${first.slice(0, 8)}` : name
    counts.set(called.toLowerCase(), (counts.get(called.toLowerCase()) ?? 0) + 1)
  })
  await sleep(seconds * 1000)
  monitor.disconnect()
  redis.disconnect()
  const byName = Object.fromEntries([...counts].map(([name, count]) => [name, count / seconds]))
  return { all: all / seconds, byName }
}
