import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Redis } from 'ioredis'
import { afterAll } from 'vitest'
import { compileProcessor } from '../../src/node/compile.js'
import { LOG_FD, type LogRecord, type RunFailure, type RunResult, type RunStats } from '../../src/protocol.js'
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

/** Plays the node for children of one namespace: prepares the fleet, forks the built child, talks to it. */
export function playNode(options: { url?: string; databases?: Record<string, string> } = {}) {
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
      const child = new PlayedChild(url, names.namespace, options.databases ?? {})
      children.add(child)
      await until(() => child.said('ready'), { what: 'the child is ready' })
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

  constructor(url: string, space: string, databases: Record<string, string>) {
    this.process = fork(entry, [], {
      execArgv: ['--enable-source-maps'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
    })
    this.process.on('message', (message) => this.messages.push(message as FromChildMessage))
    this.exited = new Promise((resolve) => this.process.once('exit', (code, signal) => resolve({ code, signal })))
    const lines = (from: Readable | null, take: (line: string) => void) =>
      from && createInterface({ input: from }).on('line', take)
    lines(this.process.stdio[LOG_FD] as Readable, (line) => this.log.push(JSON.parse(line) as LogRecord))
    lines(this.process.stdout, (line) => this.output.push(line))
    lines(this.process.stderr, (line) => this.output.push(line))
    this.send({ hysas: 'config', redisUrl: url, namespace: space, node: 'n1', databases, logLevel: 'info' })
  }

  send(message: object): void {
    if (this.process.connected) this.process.send(message, () => {})
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
  start({ token, ...job }: Job): void {
    this.send({ cmd: 1, token, job: { ...job, data: JSON.stringify(job.data) } })
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
