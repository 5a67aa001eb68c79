import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Runs `work` while no other build writes the same folder; a lock left behind by a dead build is taken over. */
export async function withBuildLock(dist, work) {
  mkdirSync(dist, { recursive: true })
  const lock = join(dist, '.lock')
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' })
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      if (!alive(holderOf(lock))) rmSync(lock, { force: true })
      else await sleep(50)
    }
  }
  try {
    return await work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function holderOf(lock) {
  try {
    return Number(readFileSync(lock, 'utf8')) || process.pid // empty: being written right now
  } catch {
    return 0
  }
}

function alive(pid) {
  if (!pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}
