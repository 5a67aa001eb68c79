import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { HysasError } from '../errors.js'
import { type EmbeddedFiles, embeddedFiles, type ServerRecord } from './embedded-files.js'
import { withLock } from './embedded-lock.js'
import { endServer, launchServer } from './embedded-server.js'
import { ping } from './ping.js'
import { birthOf } from './processes.js'

/** How long a server that lives may leave a question open (it loads, or is busy) before we give up, ms. */
const PATIENCE_MS = 30_000
let uses = 0

export interface Embedded {
  /** With the password. */
  url: string
  pid: number
  /** False where the server of an earlier node is used. */
  started: boolean
  /** Gives up this use; the last one in the folder ends the server. Resolves when that is done. May be called twice. */
  release(): Promise<void>
}

/**
 * The private Redis of a data folder: the one that runs already, else a new one on a free loopback port with a random
 * password and an append-only file in `<dataDir>/redis`. It lives as long as any process uses it, also where a user is
 * killed, and no longer.
 * @throws HysasError NO_REDIS_SERVER, NO_REDIS, EMBEDDED_ELSEWHERE
 */
export async function startEmbedded({ dataDir }: { dataDir: string }): Promise<Embedded> {
  const files = embeddedFiles(dataDir)
  files.create()
  const use = `${process.pid}.${++uses}`
  const { record, started } = await withLock(files.lock, async () => {
    // First of all: from now on the keeper does not leave.
    files.addUser(use)
    try {
      const running = await runningServer(files)
      return { record: running ?? (await launchServer(files)), started: !running }
    } catch (error) {
      files.removeUser(use)
      throw error
    }
  })
  let released: Promise<void> | undefined
  return {
    url: record.url,
    pid: files.serverPid() || record.pid,
    started,
    release() {
      released ??= release(files, use)
      return released
    },
  }
}

/** URL of the server that runs for a data folder, for those who only want to talk to it; undefined where none does. */
export async function findEmbedded(dataDir: string): Promise<string | undefined> {
  const record = embeddedFiles(dataDir).readRecord()
  if (!record || record.host !== hostname()) return undefined
  return (await ping(record.url)) !== 'none' || isKept(record) ? record.url : undefined
}

/** The server that answers by the record. One that lives but does not answer is waited for: two on one file would ruin it. */
async function runningServer(files: EmbeddedFiles): Promise<ServerRecord | undefined> {
  const record = files.readRecord()
  if (!record) return undefined
  if (record.host !== hostname()) {
    throw new HysasError('EMBEDDED_ELSEWHERE', { host: record.host, file: files.record })
  }
  const end = Date.now() + PATIENCE_MS
  for (;;) {
    const answer = await ping(record.url)
    if (answer === 'pong') return record
    if (answer === 'none' && !isKept(record)) return undefined
    if (Date.now() > end) {
      const reason = 'it lives but does not answer'
      throw new HysasError('NO_REDIS', { redis: `127.0.0.1:${record.port}`, source: files.record, reason })
    }
    await sleep(50)
  }
}

function isKept(record: ServerRecord): boolean {
  return record.keeperBirth !== '' && birthOf(record.keeper) === record.keeperBirth
}

async function release(files: EmbeddedFiles, use: string): Promise<void> {
  await withLock(files.lock, async () => {
    files.removeUser(use)
    const record = files.readRecord()
    if (record && !files.hasUsers()) await endServer(files, record)
  })
}
