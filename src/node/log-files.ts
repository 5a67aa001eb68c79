import { mkdirSync } from 'node:fs'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

export interface LogFilesOptions {
  dir: string
  /** Size at which a file is put aside. */
  maxBytes: number
  /** Files of one worker, the present one included. */
  files: number
}

interface OpenFile {
  handle: FileHandle
  size: number
  openedMs: number
}

/** Files open at the same time at most, and how long one stays open, ms: one that was deleted by hand is soon there again. */
const OPEN_LIMIT = 128
const OPEN_MS = 5000

/** The log files of many workers, `<dir>/<nickname>.log`, then `.log.1` and so on: bounded in size, number and open descriptors. */
export function createLogFiles({ dir, maxBytes, files }: LogFilesOptions) {
  const opened = new Map<string, OpenFile>()
  mkdirSync(dir, { recursive: true })
  const pathOf = (nickname: string, age = 0) => join(dir, age ? `${nickname}.log.${age}` : `${nickname}.log`)

  async function file(nickname: string): Promise<OpenFile> {
    let one = opened.get(nickname)
    if (!one) {
      const handle = await openAgain(pathOf(nickname))
      one = { handle, size: (await handle.stat()).size, openedMs: performance.now() }
    }
    opened.delete(nickname) // the map's order is that of use
    opened.set(nickname, one)
    return one
  }

  /** Also where someone has removed the folder in the meantime. */
  async function openAgain(path: string): Promise<FileHandle> {
    try {
      return await open(path, 'a', 0o640)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      await mkdir(dir, { recursive: true })
      return open(path, 'a', 0o640)
    }
  }

  async function close(nickname: string): Promise<void> {
    const one = opened.get(nickname)
    opened.delete(nickname)
    await one?.handle.close()
  }

  async function rotate(nickname: string): Promise<void> {
    await close(nickname)
    for (let age = files - 1; age > 0; age--) {
      await rename(pathOf(nickname, age - 1), pathOf(nickname, age)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error
      })
    }
    if (files === 1) await rm(pathOf(nickname), { force: true })
  }

  return {
    /** Appends lines to a worker's file. Not twice at once for the same worker. */
    async append(nickname: string, lines: readonly string[]): Promise<void> {
      let rest = lines
      while (rest.length) {
        let one = await file(nickname)
        let count = fitting(rest, maxBytes - one.size)
        if (count === 0 && one.size > 0) {
          await rotate(nickname)
          one = await file(nickname)
          count = fitting(rest, maxBytes)
        }
        const taken = Math.max(1, count)
        const chunk = Buffer.from(`${rest.slice(0, taken).join('\n')}\n`)
        await one.handle.appendFile(chunk)
        one.size += chunk.length
        rest = rest.slice(taken)
      }
    },

    /** Closes files that were open for long, and the longest unused where too many are open. */
    async tidy(): Promise<void> {
      const now = performance.now()
      let tooMany = opened.size - OPEN_LIMIT
      for (const [nickname, { openedMs }] of [...opened])
        if (tooMany-- > 0 || now - openedMs > OPEN_MS) await close(nickname)
    },

    async close(): Promise<void> {
      for (const nickname of [...opened.keys()]) await close(nickname)
    },
  }
}

/** How many of the lines fit into so many bytes. */
function fitting(lines: readonly string[], room: number): number {
  let bytes = 0
  for (const [i, line] of lines.entries()) {
    bytes += Buffer.byteLength(line) + 1
    if (bytes > room) return i
  }
  return lines.length
}
