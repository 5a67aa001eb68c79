import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Redis } from 'ioredis'
import type { Logger } from '../log.js'
import { type Names, NICKNAME } from '../redis/names.js'
import type { EventStore } from '../store/types.js'

const DAY_MS = 86_400_000
/** How often old events and log files are looked for, ms. Every node does: what is gone is gone. */
export const PRUNE_MS = 3_600_000

/** Removes events that are older than `keepDays`; 0 keeps all. */
export async function pruneEvents(open: () => Promise<EventStore>, keepDays: number, log: Logger): Promise<void> {
  if (keepDays === 0) return
  const store = await open()
  try {
    const removed = await store.prune(Date.now() - keepDays * DAY_MS)
    if (removed) log.info({ removed, keepDays }, 'old events were removed')
  } finally {
    await store.close()
  }
}

/** Removes log files that nobody has written for `keepDays` (0 keeps all), of workers that the fleet knows no more. */
export async function pruneLogs(
  of: { dir: string; redis: Redis; names: Names; log: Logger },
  keepDays: number,
): Promise<void> {
  if (keepDays === 0) return
  let removed = 0
  for (const file of await readdir(of.dir)) {
    const [nickname = ''] = file.split(/\.log(?:\.\d+)?$/)
    if (nickname === file || !NICKNAME.test(nickname)) continue // not ours
    const path = join(of.dir, file)
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY })) // gone by now
    if (mtimeMs > Date.now() - keepDays * DAY_MS || (await of.redis.exists(of.names.worker(nickname)))) continue
    await rm(path, { force: true })
    removed++
  }
  if (removed) of.log.info({ removed, keepDays }, 'log files of forgotten workers were removed')
}
