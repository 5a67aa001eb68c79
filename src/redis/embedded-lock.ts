import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from './processes.js'

/** Longer than anything that is done under the lock, ms: an older lock was left behind. */
const STALE_MS = 120_000

/**
 * Runs `work` while no other process starts or ends the server of the same folder. The lock is a file that exists only
 * while it is held (the server's keeper, a shell script, takes the same one); that of a dead process is taken over.
 */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  while (!tryLock(file)) {
    removeIfStale(file)
    await sleep(20)
  }
  try {
    return await work()
  } finally {
    rmSync(file, { force: true })
  }
}

function tryLock(file: string): boolean {
  try {
    writeFileSync(file, `${process.pid}\n`, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** By renaming, since of several that find the same stale lock only one may remove it. */
function removeIfStale(file: string): void {
  const found = read(file)
  if (!found || !isStale(found)) return
  const aside = `${file}.${process.pid}`
  try {
    renameSync(file, aside)
    const moved = read(aside)
    if (moved?.text === found.text) rmSync(aside, { force: true })
    else renameSync(aside, file) // someone was faster, and this is his
  } catch {
    // someone was faster
  }
}

function isStale({ text, age }: { text: string; age: number }): boolean {
  if (age > STALE_MS) return true
  // An empty one is being written at this moment.
  return text.trim() === '' ? age > 2000 : !isAlive(Number(text))
}

function read(file: string): { text: string; age: number } | undefined {
  try {
    return { age: Date.now() - statSync(file).mtimeMs, text: readFileSync(file, 'utf8') }
  } catch {
    return undefined
  }
}
