import type { Redis } from 'ioredis'
import request from 'supertest'
import { afterAll } from 'vitest'
import type {
  Client,
  CommandOutcome,
  FlowView,
  GoneNode,
  LogLine,
  NodeView,
  Sample,
  TypeView,
  WorkerView,
} from '../../src/client.js'
import type { Settings } from '../../src/config/settings.js'
import type { Log } from '../../src/contract.js'
import { HysasError } from '../../src/errors.js'
import type { EventQuery, EventStore, StoredEvent } from '../../src/store/types.js'
import { startWeb, type Web, type WebOptions } from '../../src/web/server.js'
import { temporaryFolder } from '../helpers/folder.js'
import { connectRedis } from '../helpers/redis.js'

export const TOKEN = 'operator-token-of-the-test'
export const VIEWER = 'viewer-token-of-the-test'

const opened: Web[] = []
afterAll(async () => {
  await Promise.all(opened.map((web) => web.close()))
})

export function settingsOf(change: Partial<Settings> = {}): Settings {
  return {
    redisUrl: undefined,
    redisSource: 'test',
    databaseUrl: undefined,
    token: TOKEN,
    viewerToken: VIEWER,
    commandToken: undefined,
    alertUrl: undefined,
    host: '127.0.0.1',
    port: 0,
    web: true,
    basePath: '',
    trustProxy: [],
    allowedHosts: [],
    namespace: 'TestWeb',
    processors: [],
    node: 'node-1',
    keepDays: 90,
    capacity: 100,
    databases: {},
    dataDir: temporaryFolder('hysas-web'),
    logLevel: 'info',
    ...change,
  }
}

let redis: Redis | undefined

/** A server of its own, closed after the file's last test. The client is a list in memory: only HTTP is looked at. */
export async function startTestWeb(of: { settings?: Partial<Settings> } & Partial<Omit<WebOptions, 'settings'>> = {}) {
  const fake = new FakeFleet()
  redis ??= connectRedis()
  const settings = settingsOf(of.settings)
  const web = await startWeb({
    client: fake.client,
    store: async () => fake.store,
    redis,
    node: { name: 'node-1', ready: () => true, workers: () => [] },
    log: silent,
    ...of,
    settings,
  })
  opened.push(web)
  return { web, fake, settings, http: request(`http://127.0.0.1:${web.port}`) }
}

export const bearer = (token = TOKEN): [string, string] => ['Authorization', `Bearer ${token}`]
export const silent: Log = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

/** A fleet that lives in memory. */
export class FakeFleet {
  workers = new Map<string, WorkerView>([['DemoName', workerView()]])
  types: TypeView[] = [typeView()]
  nodes: NodeView[] = [nodeView()]
  gone: GoneNode[] = []
  events: StoredEvent[] = [storedEvent()]
  lines: LogLine[] = []
  /** What was commanded, by method. */
  commands: { method: string; args: unknown[] }[] = []
  /** Thrown by whatever is asked next, until it is taken away. */
  failing: Error | undefined
  flows: FlowView[] = [
    {
      ...{ from: 'DemoName', to: 'DemoName', channel: 'HySAS.Worker.Demo.DemoName.Pub' },
      ...{ by: ['DemoName'], published: 5, lost: 0 },
    },
  ]
  /** Of every worker that runs, where it is not given. */
  sampled: Sample[] | undefined
  queries: EventQuery[] = []
  recorded: Partial<StoredEvent>[] = []
  watchers = new Set<(item: Watched) => void>()
  /** Of whoever watches: told that something may have been missed. */
  gaps = new Set<() => void>()

  tell(what: Watched['what'], data: unknown): void {
    for (const watcher of this.watchers) watcher({ what, data })
  }

  #answer<T>(value: T): Promise<T> {
    return this.failing ? Promise.reject(this.failing) : Promise.resolve(value)
  }

  #command(method: string, ...args: unknown[]): Promise<CommandOutcome> {
    this.commands.push({ method, args })
    const nickname = method === 'start' ? String(args[1]) : String(args[0])
    const result = ({ start: 'started', stop: 'stopped', restart: 'restarted' } as const)[method] ?? 'unchanged'
    return this.#answer({ type: 'Demo', nickname, revision: 7, result, node: 'node-1', pid: 4242, epoch: 2, ms: 12 })
  }

  readonly client: Client = {
    redisShown: 'redis://127.0.0.1:6379',
    start: (...args) => this.#command('start', ...args),
    stop: (...args) => this.#command('stop', ...args),
    restart: (...args) => this.#command('restart', ...args),
    send: async (...args) => {
      this.commands.push({ method: 'send', args })
      return this.#answer({ echoed: args[2] })
    },
    shutdown: async (...args) => {
      this.commands.push({ method: 'shutdown', args })
      return this.#answer(['node-1'])
    },
    list: () => this.#answer([...this.workers.values()]),
    show: async (nickname) => {
      const worker = this.workers.get(nickname)
      if (!worker) throw new HysasError('UNKNOWN_WORKER', { nickname, nearest: '' })
      return this.#answer(worker)
    },
    types: () => this.#answer(this.types),
    nodes: () => this.#answer(this.nodes),
    goneNodes: () => this.#answer(this.gone),
    flows: () => this.#answer(this.flows),
    samples: () => this.#answer(this.sampled ?? [...this.workers.values()].flatMap(sampleOf)),
    restarts: async (nicknames) => new Map(nicknames.map((name) => [name, this.workers.get(name)?.restarts ?? 0])),
    storeLocation: async () => undefined,
    logs: (_nickname, { level = 'trace', limit = 1000 } = {}) => {
      const least = LEVELS.indexOf(level)
      return this.#answer(this.lines.filter((line) => LEVELS.indexOf(line.level) >= least).slice(-limit))
    },
    followLogs: (_nickname, { signal }) => untilAborted(signal),
    tail: (_channel, { signal }) => untilAborted(signal),
    publish: () => this.#answer(1),
    record: async (event) => {
      this.recorded.push(event)
    },
    watch: ({ signal, gap }) => this.#watch(signal, gap),
    close: async () => {},
  }

  async *#watch(signal: AbortSignal, gap: () => void = () => {}): AsyncGenerator<Watched> {
    const waiting: Watched[] = []
    let wake = () => {}
    const watcher = (item: Watched) => {
      waiting.push(item)
      wake()
    }
    this.watchers.add(watcher)
    this.gaps.add(gap)
    gap()
    signal.addEventListener('abort', () => wake(), { once: true })
    try {
      while (!signal.aborted) {
        for (let item = waiting.shift(); item; item = waiting.shift()) yield item
        await new Promise<void>((resolve) => {
          wake = resolve
          if (signal.aborted) resolve()
        })
      }
    } finally {
      this.watchers.delete(watcher)
      this.gaps.delete(gap)
    }
  }

  readonly store: EventStore = {
    kind: 'sqlite',
    where: 'memory',
    append: async () => 0,
    find: (query) => {
      this.queries.push(query)
      return this.#answer(this.events.filter((event) => fits(event, query)).slice(0, query.limit))
    },
    countByTime: async ({ bucketMs, ...query }) => {
      const counts = new Map<string, { time: number; kind: string; count: number }>()
      for (const { time, kind } of this.events.filter((event) => fits(event, query))) {
        const start = Math.floor(time / bucketMs) * bucketMs
        const found = counts.get(`${start} ${kind}`) ?? { time: start, kind, count: 0 }
        found.count++
        counts.set(`${start} ${kind}`, found)
      }
      return [...counts.values()]
    },
    prune: async () => 0,
    close: async () => {},
  }
}
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']
const fits = (
  event: StoredEvent,
  { kind, nickname, type, severity, source, since = 0, until = Number.POSITIVE_INFINITY, before }: EventQuery,
): boolean =>
  (!kind || [kind].flat().includes(event.kind)) &&
  (!nickname || event.nickname === nickname) &&
  (!type || event.type === type) &&
  (!severity || event.severity === severity) &&
  (!source || event.source === source) &&
  (!before || event.id < before) &&
  event.time >= since &&
  event.time <= until
async function* untilAborted(signal: AbortSignal): AsyncGenerator<never> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}
type Watched = { what: 'beat' | 'fleet' | 'node' | 'event'; data: unknown }

export function workerView(change: Partial<WorkerView> = {}): WorkerView {
  return {
    type: 'Demo',
    nickname: 'DemoName',
    status: 'started',
    life: 'ok',
    foreign: false,
    wanted: true,
    system: false,
    kind: 'long-running',
    isolation: 'process',
    node: 'node-1',
    pid: 4242,
    epoch: 1_790_000_000_000,
    revision: 1,
    heart_beat: 1_790_000_000,
    age: 0.4,
    heart_beat_interval: 1,
    started_at: 1_790_000_000,
    published: 100,
    published_to: {},
    received: 50,
    errors: 0,
    dropped: 0,
    lost: 0,
    lost_by: {},
    dropped_by: {},
    gaps: [],
    restarts: 0,
    memory_mb: 48.2,
    loop_delay_ms: 1.1,
    error_msg: '',
    stop_info: '',
    stop_time: null,
    next_start_at: null,
    data_feeder: [],
    follower: [],
    threads: { produce: 'started' },
    version: 'abc123',
    progress: null,
    last_tick: null,
    next_tick: null,
    ticks: 0,
    skipped: 0,
    missed: 0,
    by: 'cli:root@host',
    since: 1_790_000_000,
    params: { everyMs: 1000 },
    ...change,
  }
}

function sampleOf(worker: WorkerView): Sample[] {
  const {
    nickname,
    status,
    epoch,
    heart_beat,
    heart_beat_interval,
    published,
    received,
    lost,
    memory_mb,
    loop_delay_ms,
  } = worker
  if (status !== 'started' || epoch === null || heart_beat === null) return []
  return [{ nickname, epoch, heart_beat, heart_beat_interval, published, received, lost, memory_mb, loop_delay_ms }]
}

export function typeView(change: Partial<TypeView> = {}): TypeView {
  return {
    type: 'Demo',
    version: 'abc123',
    file: '/app/processors/Demo.ts',
    error: '',
    error_since: null,
    builtin: true,
    nodes: [{ node: 'node-1', version: 'abc123', file: '/app/processors/Demo.ts', error: '', error_since: null }],
    workers: 1,
    kind: 'long-running',
    isolation: 'process',
    description: 'Publishes a number every second and prints what it hears, itself included.',
    params: {
      type: 'object',
      properties: { everyMs: { type: 'integer', exclusiveMinimum: 0, default: 1000 } },
    },
    operations: { reset: { description: 'Begins anew', args: { type: 'object', properties: {} } } },
    heartbeatSeconds: 1,
    graceSeconds: 10,
    restart: { minDelayMs: 1000, maxDelayMs: 30_000, healthyAfterMs: 60_000, giveUpAfter: null },
    maxMemoryMb: null,
    maxLoopDelayMs: null,
    every: null,
    cron: null,
    timezone: null,
    ...change,
  }
}

export function nodeView(change: Partial<NodeView> = {}): NodeView {
  return {
    name: 'node-1',
    host: 'alpha',
    pid: 4000,
    workers: 1,
    capacity: 100,
    types: ['Demo'],
    started_at: 1_790_000_000,
    heart_beat: 1_790_000_100,
    version: '0.1.0',
    url: 'http://127.0.0.1:3200/',
    memory_mb: 92,
    loop_delay_ms: 0.8,
    draining: false,
    broken: {},
    problems: [],
    problems_since: {},
    ...change,
  }
}

export function storedEvent(change: Partial<StoredEvent> = {}): StoredEvent {
  return {
    id: '1790000000000-0',
    time: 1_790_000_000_000,
    kind: 'alert',
    severity: 'warning',
    type: 'SshGuard',
    nickname: 'gate-1',
    node: 'node-1',
    epoch: 1,
    source: '203.0.113.9',
    message: 'Password guessing',
    data: { tries: 9 },
    key: '',
    ...change,
  }
}
