import type { AnyProcessor, EndReason, LongRunningProcessor, Operation, Schema } from './contract.js'
import { HysasError, messageOf, nearest } from './errors.js'
import type { Received } from './redis/delivery.js'
import { namesOf } from './redis/names.js'
import { type Checked, check } from './sandbox/check.js'
import { ownClock, realClock } from './testing/clock.js'
import { createTestContext, type Records } from './testing/context.js'
import { createHearing } from './testing/hearing.js'
import { payloadOf } from './testing/payload.js'
import type { Harness, HarnessOptions, Testable } from './testing/types.js'

export type * from './testing/types.js'

type Hooks = LongRunningProcessor<Schema | undefined, Schema | undefined>

/** How long `produce` may go on after the signal, in ms of the wall. */
const PATIENCE_MS = 5000

/**
 * Runs a processor for its test: without fleet, Redis and child process, by a clock of its own.
 *
 * ```ts
 * const worker = createHarness(processor, { params: { everyMs: 1000 } })
 * await worker.start()
 * await worker.advance(2000)
 * expect(worker.published.map(({ data }) => data)).toEqual([0, 1, 2])
 * await worker.stop()
 * ```
 * Only `ctx.sleep` follows the clock; timers and `Date` of the processor's own are those of Node.
 */
export function createHarness<T extends Testable>(processor: T, options: HarnessOptions<T> = {}): Harness {
  const { nickname = 'test', type = 'Test', namespace } = options
  const hooks = longRunningOf(processor)
  const names = namesOf(namespace)
  const clock = options.clock === 'real' ? realClock() : ownClock()
  const ending = new AbortController()
  const records: Records = { published: [], events: [], logs: [], progress: [] }
  const errors: unknown[] = []
  let params: unknown
  let producing: Promise<void> | undefined
  let failure: { error: unknown } | undefined
  let starting: Promise<void> | undefined
  let stopping: Promise<void> | undefined
  let receiving: Promise<unknown> = Promise.resolve()
  let end: (result: EndReason | Promise<never>) => void = () => {}
  const finished = new Promise<EndReason>((resolve) => {
    end = resolve
  })
  finished.catch(() => {})
  /** Nobody may be waiting for the end, or it may be known already: an error is thrown where a test sees it, too. */
  const endBy = (error: unknown) => {
    const rejected = Promise.reject(error)
    rejected.catch(() => {})
    end(rejected)
  }

  const hearing = createHearing(names, receive)
  const ctx = createTestContext({
    ...{ type, nickname, names, clock, records, options: options as HarnessOptions<never> },
    signal: ending.signal,
    params: () => params,
    deliver,
    subscribe: hearing.subscribe,
  })

  async function receive(message: Received): Promise<void> {
    if (!hooks.receive) return
    const fitting = hooks.messages
      ? await check(hooks.messages, message.data)
      : { ok: true as const, value: message.data }
    if (fitting.ok) await hooks.receive(ctx, message.with(fitting.value))
    else ctx.log.warn({ channel: message.channel, problems: fitting.problems }, 'a message does not fit')
  }

  /** What the worker itself publishes and hears: one after the other, and an error is survived. */
  function deliver(channel: string, raw: string | Buffer): number {
    const handlers = starting ? hearing.handlersOf(channel) : []
    for (const handler of handlers) {
      receiving = receiving.then(async () => {
        clock.touch()
        if (ending.signal.aborted) return
        try {
          await handler(hearing.messageOf(channel, raw))
        } catch (error) {
          errors.push(error)
          ctx.log.error({ reason: messageOf(error) }, 'receive failed')
        }
      })
    }
    return handlers.length
  }

  async function begin(): Promise<void> {
    params = accepted(await check(hooks.params, options.params ?? {}), type)
    if (typeof processor === 'function') {
      const job = { id: '1', name: nickname, data: params, log: ctx.log.info, updateProgress: ctx.progress }
      producing = produce(() => processor(job, 'test-token', ending.signal))
    } else {
      await hooks.start?.(ctx)
      for (const source of sourcesOf(hooks, nickname, params)) hearing.subscribe(source)
      if (hooks.produce) producing = produce(() => hooks.produce?.(ctx))
    }
    await clock.settle()
    report()
  }

  async function produce(run: () => unknown): Promise<void> {
    try {
      await run()
      const livesOn = hooks.receive !== undefined || hearing.channel() !== undefined
      if (!ending.signal.aborted && !livesOn) queueMicrotask(() => void stop('done').catch(failed))
    } catch (error) {
      failed(error)
    }
  }

  function failed(error: unknown): void {
    failure = { error }
    endBy(error)
  }

  /** Throws once what `produce` threw, where a test sees it. */
  function report(): void {
    if (!failure) return
    const { error } = failure
    failure = undefined
    throw error
  }

  function stop(reason: EndReason = 'stop'): Promise<void> {
    stopping ??= terminate(reason)
    return stopping
  }

  async function terminate(reason: EndReason): Promise<void> {
    ending.abort(reason)
    try {
      if (reason !== 'done') await withPatience(producing)
      await receiving
      if (starting) await hooks.beforeTermination?.(ctx, reason)
      report()
      end(reason)
    } catch (error) {
      endBy(error)
      throw error
    }
  }

  return {
    ctx,
    ...records,
    errors,
    get now() {
      return clock.now
    },
    finished,
    start() {
      starting ??= begin().catch((error: unknown) => {
        endBy(error)
        throw error
      })
      return starting
    },
    async send(data, { channel = hearing.channel() ?? names.pub('Sender', 'sender') } = {}) {
      const handlers = hearing.handlersOf(channel)
      if (!handlers.length && hooks.receive && !hearing.channel()) handlers.push(receive)
      if (!handlers.length)
        throw new HysasError('USAGE', { reason: `Nothing in this processor hears the channel ${channel}` })
      const message = hearing.messageOf(channel, payloadOf(data, channel).raw)
      for (const handler of handlers) await handler(message)
      await clock.settle()
    },
    async operation(name, args = {}) {
      const operations = (hooks.operations ?? {}) as Record<string, Operation<undefined, unknown>>
      const operation = Object.hasOwn(operations, name) ? operations[name] : undefined
      if (!operation) {
        const details = { nickname, operation: name, nearest: nearest(name, Object.keys(operations)) }
        throw new HysasError('UNKNOWN_OPERATION', details)
      }
      const fitting = await check(operation.args as Schema | undefined, args)
      if (!fitting.ok) throw new HysasError('BAD_ARGS', { operation: name, problems: fitting.problems })
      const value = await operation.run(ctx, fitting.value as never)
      await clock.settle()
      return value
    },
    async tick() {
      if (typeof processor === 'function' || !processor.tick) throw new Error('This processor has no tick')
      if (!starting) params = accepted(await check(hooks.params, options.params ?? {}), type)
      await processor.tick(ctx)
      await clock.settle()
    },
    async advance(ms) {
      await clock.advance(ms)
      report()
    },
    stop,
  }
}

/** A repeatable or plain processor has none of these hooks. */
function longRunningOf(processor: Testable): Hooks {
  return typeof processor === 'function' ? {} : (processor as AnyProcessor & { tick?: never })
}

function sourcesOf({ subscribe }: Hooks, nickname: string, params: unknown) {
  return [typeof subscribe === 'function' ? subscribe({ nickname, params }) : (subscribe ?? [])].flat()
}

/** @throws HysasError BAD_PARAMS */
function accepted(checked: Checked, type: string): unknown {
  if (checked.ok) return checked.value
  throw new HysasError('BAD_PARAMS', { type, problems: checked.problems })
}

async function withPatience(producing: Promise<void> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const reason = `produce did not end within ${PATIENCE_MS / 1000} s of the signal: let it look at ctx.signal.aborted`
    timer = setTimeout(() => reject(new Error(reason)), PATIENCE_MS)
  })
  await Promise.race([producing, late]).finally(() => clearTimeout(timer))
}
