import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const made = new Set<string>()
let isHeard = false

/** A new empty folder, removed at the end of the test process at the latest. */
export function temporaryFolder(name = 'hysas-test'): string {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`))
  made.add(folder)
  if (!isHeard) process.once('exit', () => [...made].forEach(removeFolder))
  isHeard = true
  return folder
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  made.delete(folder)
}
