import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Redis } from 'ioredis'
import { afterAll } from 'vitest'
import type { Isolation } from '../../src/contract.js'
import { compileProcessor } from '../../src/node/compile.js'
import {
  LOG_FD,
  type LogRecord,
  type ManyMessage,
  type PulseMessage,
  type RunFailure,
  type RunResult,
  type RunStats,
  type TickClaimed,
} from '../../src/protocol.js'
import { jobIdOf, type Names, namesOf, schedulerIdOf } from '../../src/redis/names.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis, redisUrl } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

const root = join(import.meta.dirname, '../..')
const entry = join(root, 'dist/sandbox/main.cjs')

interface FromChildMessage {
  hysas?: string
  cmd?: number
  value?: unknown
  err?: { message: string; stack?: string }
  stats?: RunStats
  token?: string
  epoch?: number
}

/** What holds of one holds of the other: to be given to `describe.each`. */
export const ISOLATIONS: readonly Isolation[] = ['process', 'shared']

/**
 * Plays the node for children of one namespace: prepares the fleet, forks the built child, talks to it. With `isolation:
 * 'shared'` each is the first virtual child of a common child.
 */
export function playNode(options: { url?: string; databases?: Record<string, string>; isolation?: Isolation } = {}) {
  const url = options.url ?? redisUrl()
  const names = namesOf(namespace())
  const redis = connectRedis(url)
  const children = new Set<PlayedChild>()
  let revision = 0
  afterAll(async () => {
    for (const child of children) await child.kill()
  })

  return {
    names,
    redis,
    url,
    /** Compiles a processor from its source. */
    async compile(source: string, file = 'Probe.ts') {
      const folder = join(temporaryFolder(), 'processors')
      mkdirSync(folder)
      writeFileSync(join(folder, file), source)
      const { bundle, version } = await compileProcessor({ file: join(folder, file), outDir: join(folder, '../out') })
      return { bundle, version, type: file.split('.')[0] ?? '' }
    },
    async child(): Promise<PlayedChild> {
      const child = new PlayedChild(url, names.namespace, options.databases ?? {}, options.isolation)
      children.add(child)
      await until(() => child.said('ready'), { what: 'the child is ready' })
      child.begin()
      return child
    },
    /** Writes the worker into the fleet and holds the lock of its job, as BullMQ would. */
    async want(type: string, nickname: string, params: object = {}): Promise<Job> {
      revision++
      await redis.hset(names.worker(nickname), {
        type,
        nickname,
        wanted: '1',
        revision: String(revision),
        params: JSON.stringify(params),
      })
      const id = jobIdOf(nickname, revision)
      const token = randomUUID()
      await redis.set(names.jobLock(type, id), token)
      return { id, name: 'run', token, data: { nickname, revision } }
    },
    /** One more job of the same worker: a tick, due at `dueMs`. */
    async tickOf(type: string, { data }: Job, dueMs = Date.now()): Promise<Job> {
      const id = `repeat:${schedulerIdOf(data.nickname)}:${dueMs}`
      const token = randomUUID()
      await redis.set(names.jobLock(type, id), token)
      return { id, name: 'tick', token, data, opts: { repeat: { every: 1000 } } }
    },
    info: (type: string, nickname: string) => redis.hgetall(names.info(type, nickname)),
  }
}

export interface Job {
  id: string
  name: string
  token: string
  data: { nickname: string; revision: number; reason?: string }
  opts?: Record<string, unknown>
}

export type PlayedNode = ReturnType<typeof playNode>

export class PlayedChild {
  readonly process: ChildProcess
  readonly messages: FromChildMessage[] = []
  readonly log: LogRecord[] = []
  readonly output: string[] = []
  readonly exited: Promise<{ code: number | null; signal: string | null }>

  /** Of the virtual child, where it is one. */
  readonly #n: number | undefined

  constructor(url: string, space: string, databases: Record<string, string>, isolation: Isolation = 'process') {
    this.#n = isolation === 'shared' ? 1 : undefined
    this.process = fork(entry, [], {
      execArgv: ['--enable-source-maps'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
    })
    this.process.on('message', (message) => this.#take(message as FromChildMessage | ManyMessage | PulseMessage))
    this.exited = new Promise((resolve) => this.process.once('exit', (code, signal) => resolve({ code, signal })))
    const lines = (from: Readable | null, take: (line: string) => void) =>
      from && createInterface({ input: from }).on('line', take)
    lines(this.process.stdio[LOG_FD] as Readable, (line) => this.#takeLine(line))
    lines(this.process.stdout, (line) => this.output.push(line))
    lines(this.process.stderr, (line) => this.output.push(line))
    this.#send({ hysas: 'config', redisUrl: url, namespace: space, node: 'n1', databases, logLevel: 'info' })
  }

  /** It is ready: makes it a common child, where it is to be one. */
  begin(): void {
    if (this.#n !== undefined) this.#send({ hysas: 'common' })
  }

  send(message: object): void {
    this.#send(this.#n === undefined ? message : { hysas: 'many', of: [[this.#n, message]] })
  }

  #send(message: object): void {
    if (this.process.connected) this.process.send(message, () => {})
  }

  #take(message: FromChildMessage | ManyMessage | PulseMessage): void {
    if (message.hysas === 'many' && 'of' in message) {
      for (const [, one] of message.of) this.messages.push(one as FromChildMessage)
    } else if (message.hysas === 'pulse' && 'memory_mb' in message) {
      for (const [, published, received, errors, lost, status] of message.stats) {
        const stats = { published, received, errors, lost, status, memory_mb: 0, loop_delay_ms: 0 }
        this.messages.push({ hysas: 'stats', stats })
      }
    } else this.messages.push(message as FromChildMessage)
  }

  #takeLine(line: string): void {
    const [, kind, text] = /^\d+ ([loeb]) (.*)$/s.exec(line) ?? [line, 'l', line]
    if (kind === 'l') this.log.push(JSON.parse(text as string) as LogRecord)
    else if (kind !== 'b') this.output.push(text as string) // a blocked event loop is told beside it
  }

  said(what: string): FromChildMessage | undefined {
    return this.messages.find(({ hysas }) => hysas === what)
  }

  /** Loads a compiled processor. */
  async load(compiled: { bundle: string; version: string; type: string }): Promise<FromChildMessage> {
    this.send({ cmd: 0, value: compiled })
    return until(() => this.messages.find(({ cmd }) => cmd === 3 || cmd === 4), { what: 'the processor is loaded' })
  }

  /** Begins a run or a tick. */
  /** @param claimed of a tick for which the node has claimed the name */
  start({ token, ...job }: Job, claimed?: TickClaimed): void {
    this.send({ cmd: 1, token, job: { ...job, data: JSON.stringify(job.data) }, claimed })
  }

  cancel(reason: string): void {
    this.send({ cmd: 7, value: reason })
  }

  /** The answer to the nth run (from 0). */
  async result(nth = 0): Promise<{ value: RunResult } | { failure: RunFailure }> {
    const answers = () => this.messages.filter(({ cmd }) => cmd === 0 || cmd === 2)
    const { cmd, value } = await until(() => answers()[nth], { what: `answer ${nth} of the child` })
    return cmd === 0 ? { value: value as RunResult } : { failure: value as RunFailure }
  }

  /** Its run is over, and it with it: the process has ended, or told that the virtual child is no more. */
  async ended(): Promise<void> {
    await (this.#n === undefined ? this.exited : until(() => this.said('gone'), { what: 'the virtual child is gone' }))
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL')
    await this.exited
  }
}

/** Forks a child, loads the processor and begins the run of one worker. */
export async function startWorker(
  node: PlayedNode,
  source: string,
  options: { nickname?: string; params?: object; file?: string } = {},
) {
  const { nickname = 'probe-1', params = {}, file = 'Probe.ts' } = options
  const [child, compiled] = await Promise.all([node.child(), node.compile(source, file)])
  const loaded = await child.load(compiled)
  if (loaded.cmd === 3) throw new Error(loaded.err?.message)
  const { type } = compiled
  const job = await node.want(type, nickname, params)
  child.start(job)
  return { child, job, type, nickname, info: () => node.info(type, nickname), key: node.names.worker(nickname) }
}

/** Messages that come to a channel, from now on. */
export async function listen(redis: Redis, channel: string): Promise<string[]> {
  const heard: string[] = []
  const own = connectRedis(`redis://${redis.options.host}:${redis.options.port}`)
  own.on('message', (_channel, text: string) => heard.push(text))
  await own.subscribe(channel)
  return heard
}

export type { Names }
