import type { AnyProcessor, Context, Database, EndReason, EventInput, Message, Schema } from 'hysas'
import { namespace } from '../helpers/namespace.js'
import { connectRedis } from '../helpers/redis.js'

export interface Recorded extends EventInput {
  kind: string
}

export interface LoggedLine {
  level: string
  msg: string
  fields: Record<string, unknown>
}

interface Options {
  type: string
  nickname?: string
  params?: Record<string, unknown>
  epoch?: number
  namespace?: string
  databases?: Record<string, Database>
  publish?: (data: unknown) => Promise<number>
}

let redis: ReturnType<typeof connectRedis> | undefined
const connection = () => {
  redis ??= connectRedis()
  return redis
}

export type TestWorker = Awaited<ReturnType<typeof startWorker>>

/** Runs a processor by its hooks, in this process: real Redis, what it says is collected. */
export async function startWorker(processor: AnyProcessor, options: Options) {
  const published: unknown[] = []
  const events: Recorded[] = []
  const logged: LoggedLine[] = []
  const controller = new AbortController()
  let progress: unknown
  const ctx: Context = {
    type: options.type,
    namespace: options.namespace ?? namespace(),
    nickname: options.nickname ?? 'test',
    params: (await checked(processor.params, options.params ?? {})) as Record<string, unknown>,
    signal: controller.signal,
    epoch: options.epoch ?? 1,
    log: collectingLog(logged),
    redis: connection(),
    events: {
      async record(kind, event = {}) {
        if (event.key && events.some(({ key }) => key === event.key)) return
        events.push({ kind, ...event })
      },
    },
    sleep: (ms) => sleepUntil(ms, controller.signal),
    async publish(data) {
      const subscribers = (await options.publish?.(data)) ?? 1
      published.push(JSON.parse(JSON.stringify(data)))
      return subscribers
    },
    subscribe: () => Promise.reject(new Error('not in this test')),
    async database(name) {
      const database = options.databases?.[name]
      if (database) return database
      throw Object.assign(new Error(`no database ${name}`), { code: 'UNKNOWN_DATABASE' })
    },
    progress(value) {
      progress = value
    },
  }
  const hooks = processor as unknown as Hooks
  await hooks.start?.(ctx)
  const producing = Promise.resolve(hooks.produce?.(ctx))
  producing.catch(() => {})
  return {
    ctx,
    published,
    events,
    logged,
    producing,
    progress: () => progress as Record<string, unknown> | undefined,
    tick: () => hooks.tick?.(ctx),
    async hear(data: unknown) {
      const message = { raw: JSON.stringify(data), channel: 'test', data: await checked(hooks.messages, data) }
      await hooks.receive?.(ctx, message)
    },
    async call(operation: string, args: unknown = {}) {
      const declared = hooks.operations?.[operation]
      if (!declared) throw new Error(`no operation ${operation}`)
      return declared.run(ctx, await checked(declared.args, args))
    },
    /** As the sandbox ends a run: signal, loop, beforeTermination. */
    async stop() {
      controller.abort()
      await producing.catch(() => {})
      await hooks.beforeTermination?.(ctx, 'stop')
    },
  }
}

interface Hooks {
  messages?: Schema
  start?(ctx: Context): unknown
  produce?(ctx: Context): unknown
  tick?(ctx: Context): unknown
  receive?(ctx: Context, message: Message): unknown
  beforeTermination?(ctx: Context, reason: EndReason): unknown
  operations?: Record<string, { args?: Schema; run(ctx: Context, args: unknown): unknown }>
}

async function checked(schema: Schema | undefined, value: unknown): Promise<unknown> {
  if (!schema) return value
  const result = await schema['~standard'].validate(value)
  if (result.issues) throw new Error(result.issues.map(({ message }) => message).join('; '))
  return result.value
}

function collectingLog(lines: LoggedLine[]): Context['log'] {
  const at =
    (level: string) =>
    (first: object | string, msg = '') => {
      const fields = typeof first === 'string' ? {} : (first as Record<string, unknown>)
      lines.push({ level, msg: typeof first === 'string' ? first : msg, fields })
    }
  return { trace: at('trace'), debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function sleepUntil(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    if (signal.aborted) done()
    else signal.addEventListener('abort', done)
  })
}
