import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { birthOf, isAlive } from './processes.js'

/** What `.hysas/redis/server.json` says of the running server. */
export interface ServerRecord {
  /** With the password. */
  url: string
  port: number
  /** Of the server at its first start; its keeper may have started it again since. */
  pid: number
  /** Process that keeps the server alive, and ends it when its last user is gone. */
  keeper: number
  keeperBirth: string
  /** Name of the host that it runs on. */
  host: string
}

export type EmbeddedFiles = ReturnType<typeof embeddedFiles>

/** The files of `<dataDir>/redis`: who serves, who uses it. Everything is readable by its owner only. */
export function embeddedFiles(dataDir: string) {
  const folder = join(dataDir, 'redis')
  const users = join(folder, 'users')
  const record = join(folder, 'server.json')
  return {
    folder,
    record,
    config: join(folder, 'redis.conf'),
    log: join(folder, 'redis.log'),
    lock: join(folder, 'lock'),
    create() {
      mkdirSync(dataDir, { recursive: true })
      mkdirSync(users, { recursive: true, mode: 0o700 })
    },
    /** Undefined where there is none, or where it belongs to another user, whose server we do not trust. */
    readRecord(): ServerRecord | undefined {
      try {
        const owner = statSync(record).uid
        if (process.getuid && owner !== process.getuid() && owner !== 0) return undefined
        return JSON.parse(readFileSync(record, 'utf8')) as ServerRecord
      } catch {
        return undefined
      }
    },
    writeRecord(content: ServerRecord) {
      const fresh = `${record}.${process.pid}`
      writeFileSync(fresh, JSON.stringify(content), { mode: 0o600 })
      renameSync(fresh, record)
    },
    removeRecord: () => rmSync(record, { force: true }),
    /** Of the server that runs now; 0 where none has said so. */
    serverPid(): number {
      try {
        return Number(readFileSync(join(folder, 'redis.pid'), 'utf8').trim()) || 0
      } catch {
        return 0
      }
    },
    /** `use` is one node's claim; a process may have several. */
    addUser: (use: string) => writeFileSync(join(users, use), birthOf(process.pid), { mode: 0o600 }),
    removeUser: (use: string) => rmSync(join(users, use), { force: true }),
    /** Is anybody left? Claims of processes that are gone are cleared away. */
    hasUsers(): boolean {
      const living = readdirSync(users).filter((use) => {
        const pid = Number.parseInt(use, 10)
        const birth = readFileIfThere(join(users, use))
        const lives = isAlive(pid) && (birth === '' || birth === birthOf(pid))
        if (!lives) rmSync(join(users, use), { force: true })
        return lives
      })
      return living.length > 0
    },
  }
}

function readFileIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
