import type { Redis } from 'ioredis'
import type { Context, Database, EventInput, Log, LogLevel, Message, Source, Subscription } from '../contract.js'
import { HysasError } from '../errors.js'
import type { Names } from '../redis/names.js'
import { type Clock, nextTurn } from './clock.js'
import { payloadOf } from './payload.js'
import type { HarnessOptions, LogEntry, Published, RecordedEvent } from './types.js'

export interface Records {
  published: Published[]
  events: RecordedEvent[]
  logs: LogEntry[]
  progress: unknown[]
}

export interface ContextParts {
  type: string
  nickname: string
  names: Names
  clock: Clock
  signal: AbortSignal
  records: Records
  options: HarnessOptions<never>
  params: () => unknown
  /** Called with each message published, before `publish` resolves. Returns how many hear it. */
  deliver(channel: string, raw: string | Buffer): number
  subscribe(source: Source, handler?: (message: Message) => unknown): Subscription
}

/** The context of a processor under test: it keeps what the processor does. */
export function createTestContext(parts: ContextParts): Context<Record<string, unknown>> {
  const { type, nickname, names, clock, signal, records, options } = parts
  return {
    type,
    nickname,
    namespace: names.namespace,
    signal,
    epoch: 1,
    log: testLog(records.logs, options.onLog),
    get params() {
      return parts.params() as Record<string, unknown>
    },
    get redis(): Redis {
      if (options.redis) return options.redis
      throw new HysasError('NO_REDIS_GIVEN', { type })
    },
    events: {
      async record(kind: string, event: EventInput = {}) {
        if (event.key !== undefined && records.events.some(({ key }) => key === event.key)) return
        const recorded = { kind, ...event }
        records.events.push(recorded)
        options.onEvent?.(recorded)
        clock.touch()
      },
    },
    sleep: (ms) => clock.sleep(ms, signal),
    async publish(data, { channel = names.pub(type, nickname) } = {}) {
      const { raw, heard } = payloadOf(data, channel)
      const published = { channel, data: heard, at: clock.now }
      records.published.push(published)
      options.onPublish?.(published)
      clock.touch()
      const heardBy = parts.deliver(channel, raw)
      await nextTurn() // as Redis does, so that a loop that only publishes lets others have their turn
      return heardBy
    },
    drained: nextTurn,
    subscribe: async (source, handler) => parts.subscribe(source, handler),
    async database(name): Promise<Database> {
      const databases = options.databases ?? {}
      if (Object.hasOwn(databases, name) && databases[name]) return databases[name]
      throw new HysasError('UNKNOWN_DATABASE', { name, known: ' Give it to the harness: { databases }.' })
    },
    progress(value) {
      records.progress.push(value)
    },
  }
}

function testLog(logs: LogEntry[], onLog: ((entry: LogEntry) => void) | undefined): Log {
  const at =
    (level: LogLevel) =>
    (first: object | string, msg = ''): void => {
      const entry = typeof first === 'string' ? { level, msg: first, fields: {} } : { level, msg, fields: { ...first } }
      logs.push(entry)
      onLog?.(entry)
    }
  return { trace: at('trace'), debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
