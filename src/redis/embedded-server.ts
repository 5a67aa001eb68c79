import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { hostname } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { HysasError } from '../errors.js'
import type { EmbeddedFiles, ServerRecord } from './embedded-files.js'
import { KEEPER } from './embedded-keeper.js'
import { ping } from './ping.js'
import { birthOf, commandOf, isAlive } from './processes.js'

/** A large append-only file takes its time to load. */
const LOAD_MS = 60_000
const LOG_BYTES = 1_000_000

/**
 * Starts a server and its keeper in the folder and waits until it answers. To be called under the lock.
 * @throws HysasError NO_REDIS_SERVER, NO_REDIS with the end of the server's log
 */
export async function launchServer(files: EmbeddedFiles): Promise<ServerRecord> {
  const program = findServer()
  for (let attempt = 1; ; attempt++) {
    const record = await launch(files, program)
    if (await waitForAnswer(files, record)) return record
    files.removeRecord()
    const log = endOfLog(files)
    // Another program may have taken the port since it was found free.
    if (attempt === 3 || !/in use/i.test(log)) {
      throw new HysasError('NO_REDIS', { redis: `127.0.0.1:${record.port}`, source: files.log, reason: log })
    }
  }
}

/** The program that would be started. @throws HysasError NO_REDIS_SERVER */
export function findServer(): string {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  const candidates = ['redis-server', 'valkey-server'].flatMap((name) => folders.map((folder) => join(folder, name)))
  const found = candidates.find(isExecutable)
  if (!found) throw new HysasError('NO_REDIS_SERVER')
  return found
}

async function launch(files: EmbeddedFiles, program: string): Promise<ServerRecord> {
  const port = await freePort()
  const password = randomBytes(24).toString('hex')
  writeFileSync(files.config, configOf(port, password), { mode: 0o600 })
  if ((statSync(files.log, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES) truncateSync(files.log)
  const log = openSync(files.log, 'a', 0o600)
  const keeper = spawn('/bin/sh', ['-c', KEEPER, 'hysas-redis-keeper', program], {
    cwd: files.folder,
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  keeper.on('error', () => {}) // seen as a keeper that is gone
  keeper.unref()
  const pid = keeper.pid ?? 0
  const url = `redis://default:${password}@127.0.0.1:${port}`
  return { url, port, pid: 0, keeper: pid, keeperBirth: birthOf(pid), host: hostname() }
}

/** Paths are relative: keeper and server run in the folder. */
function configOf(port: number, password: string): string {
  return `bind 127.0.0.1
port ${port}
requirepass ${password}
dir .
pidfile redis.pid
logfile redis.log
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
daemonize no
`
}

/** False where the server or its keeper ended instead. The record is written early: who finds it waits as well. */
async function waitForAnswer(files: EmbeddedFiles, record: ServerRecord): Promise<boolean> {
  const end = Date.now() + LOAD_MS
  files.writeRecord(record)
  while (Date.now() < end) {
    if ((await ping(record.url)) === 'pong') {
      record.pid = files.serverPid()
      files.writeRecord(record)
      return true
    }
    if (birthOf(record.keeper) !== record.keeperBirth) return false
    await sleep(20)
  }
  return false
}

function endOfLog(files: EmbeddedFiles): string {
  return readFileSync(files.log, 'utf8').trim().split('\n').slice(-5).join(' | ')
}

/** Ends server and keeper: in order, then by force. Resolves when both are gone. */
export async function endServer(files: EmbeddedFiles, record: ServerRecord, patienceMs = 5000): Promise<void> {
  const server = serverOf(files, record)
  const birth = birthOf(server)
  const keeperLives = () => birthOf(record.keeper) === record.keeperBirth
  const serverLives = () => birth !== '' && birthOf(server) === birth
  if (keeperLives()) send(record.keeper, 'SIGTERM')
  else send(server, 'SIGTERM')
  const end = Date.now() + patienceMs
  while ((serverLives() || keeperLives()) && Date.now() < end) await sleep(20)
  if (keeperLives()) send(record.keeper, 'SIGKILL')
  if (serverLives()) send(server, 'SIGKILL')
  while (serverLives() && Date.now() < end + 1000) await sleep(20)
  files.removeRecord()
}

/** Its process, or 0. The number in the file may by now belong to someone else; a server shows its port as its title. */
function serverOf(files: EmbeddedFiles, record: ServerRecord): number {
  const pid = files.serverPid() || record.pid
  return /(redis|valkey)-server /.test(commandOf(pid)) && commandOf(pid).includes(`:${record.port}`) ? pid : 0
}

function send(pid: number, signal: NodeJS.Signals): void {
  if (isAlive(pid)) process.kill(pid, signal)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
