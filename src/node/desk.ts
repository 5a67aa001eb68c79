import { createHash } from 'node:crypto'
import { type ConnectionOptions, type Job, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { HysasError, messageOf, toHysasError } from '../errors.js'
import {
  COMMANDS,
  type CommandAnswer,
  type CommandContext,
  CommandData,
  type CommandName,
  execute,
} from '../fleet/commands.js'
import { giveReply, submit } from '../fleet/submit.js'
import { toldArgs } from '../fleet/told-args.js'
import type { Logger } from '../log.js'
import { countRaw } from '../redis/fleet-scripts.js'
import { COMMAND_QUEUE } from '../redis/names.js'
import { removeUnreadable } from '../redis/unreadable-jobs.js'
import type { StoredEvent } from '../store/types.js'
import { readRaw } from './raw-command.js'

export interface DeskOptions extends CommandContext {
  node: string
  /** A connection of its own: it only hears the raw channel. */
  subscriber: Redis
  /** Raw messages must carry it, where it is set. */
  commandToken: string | undefined
  log: Logger
  record(event: Partial<StoredEvent> & { kind: string }): void
}

/** Refused raw messages told in one second. */
const TOLD_A_SECOND = 10
/** Commands carried out at the same time by one node. */
const AT_ONCE = 8

/**
 * A command that a desk has taken while Redis died, without ever hearing of it, is taken anew after so long: soon enough
 * for those who wait for it. A desk that was held up for longer does no harm: the same revision gets the same answer.
 */
const LOCK_MS = 5000

/** Takes commands: jobs of the queue `Command`, and raw messages on the channel of commands, which become jobs. */
export function createDesk(options: DeskOptions) {
  const { redis, names, log, record, subscriber } = options
  let worker: Worker | undefined
  let second = 0
  let toldInSecond = 0
  const spared = (): boolean => {
    const now = Math.floor(performance.now() / 1000)
    if (now !== second) {
      second = now
      toldInSecond = 0
    }
    return ++toldInSecond <= TOLD_A_SECOND
  }

  async function take(job: Job): Promise<CommandAnswer> {
    const given = job.data as Partial<CommandData> | null
    const reply = typeof given?.reply === 'string' ? given.reply : undefined
    try {
      const { name, data } = commandOf(job)
      const answer = await execute(options, name, data)
      told(name, data, answer.result)
      // the worker itself answers what was sent to it
      if (reply && name !== 'send') await giveReply(redis, names, reply, { ok: true, value: answer })
      return answer
    } catch (error) {
      const coded = toHysasError(error)
      told(job.name, given ?? {}, coded.code, coded)
      if (reply) await giveReply(redis, names, reply, { ok: false, error: coded.toJSON() })
      // the job fails with the sentence and the remedy, so that Bull Board shows both
      throw new Error(`${coded.code}: ${coded.message} ${coded.remedy}`, { cause: error })
    }
  }

  function told(
    command: string,
    { nickname = '', type = '', by = 'by hand', operation, args }: Partial<CommandData>,
    result: string,
    error?: HysasError,
  ): void {
    const about = {
      nickname: textOf(nickname).slice(0, 100),
      type: textOf(type).slice(0, 100),
      source: textOf(by).slice(0, 200),
    }
    const severity = error ? 'warning' : 'info'
    const message = error
      ? `${command} refused: ${error.message}`
      : `${`${command} ${about.nickname}`.trim()}: ${result}`
    record({
      kind: 'command',
      severity,
      ...about,
      message: message.slice(0, 1000),
      data: { command: command.slice(0, 40), result, ...(operation && calledOf(operation, args)) },
    })
    log[error ? 'warn' : 'info']({ command: command.slice(0, 40), ...about, result }, 'command')
  }

  /** Every node hears a raw message; the one that counts it first makes it a job. What is refused leaves nothing in Redis. */
  async function hear(raw: string): Promise<void> {
    let command: ReturnType<typeof readRaw>
    try {
      command = readRaw(raw, options.commandToken)
    } catch (error) {
      refused(raw, toHysasError(error))
      return
    }
    const hash = createHash('sha256').update(raw).digest('hex')
    if (!(await countRaw(redis, names, hash, options.node))) return
    const queues = async () => options.queues
    await submit({ redis, names, queues }, command.name, { ...command.data, by: 'channel' }, 10_000, false)
  }

  /** Told at most a few times a second: a flood of nonsense must not become a flood of lines. */
  function refused(raw: string, { code, message }: HysasError): void {
    if (!spared()) return
    log.warn({ code, bytes: raw.length }, `a raw command was refused: ${message}`)
    const about = { severity: 'warning', source: 'channel', message: `refused: ${message}`.slice(0, 1000) } as const
    if (code === 'FORBIDDEN') record({ kind: 'command', ...about, data: { result: code } })
  }

  /** A job that is no JSON was written into Redis by hand. */
  function refuseUnreadable(): void {
    removeUnreadable(redis, names, COMMAND_QUEUE)
      .then((ids) => {
        if (ids.length && spared()) log.warn({ jobs: ids.slice(0, 10) }, 'commands were refused: they are not JSON')
      })
      .catch((error: unknown) => log.debug({ err: messageOf(error) }, 'the queue of commands'))
  }

  return {
    async start(): Promise<void> {
      worker = new Worker(COMMAND_QUEUE, take, {
        connection: redis as unknown as ConnectionOptions,
        prefix: names.queuePrefix,
        concurrency: AT_ONCE,
        lockDuration: LOCK_MS,
        stalledInterval: LOCK_MS / 5,
        maxStalledCount: Number.MAX_SAFE_INTEGER,
        drainDelay: 1,
        runRetryDelay: 1000,
      })
      worker.on('error', (error) => {
        log.debug({ err: error.message }, 'the queue of commands')
        if (error instanceof SyntaxError) refuseUnreadable()
      })
      subscriber.on('message', (channel: string, raw: string) => {
        if (channel === names.command)
          hear(raw).catch((error: unknown) => log.warn({ err: messageOf(error) }, 'a raw command was lost'))
      })
      await subscriber.subscribe(names.command)
    },

    async close(): Promise<void> {
      // commands at work are waited for, but nothing that only a Redis that is away could tell
      await worker?.close(redis.status !== 'ready')
    },
  }
}

/** Data of a refused command may be anything, also an object that has no text. */
const textOf = (given: unknown): string => (typeof given === 'string' ? given : (JSON.stringify(given) ?? ''))

/** What was called, and with what. Of a refused command both may be anything. */
function calledOf(operation: unknown, args: unknown) {
  const isObject = typeof args === 'object' && args !== null && !Array.isArray(args)
  return {
    operation: textOf(operation).slice(0, 100),
    args: toldArgs(isObject ? (args as Record<string, unknown>) : {}),
  }
}

/** Command and data of a job; made by hand on Bull Board, its name may be anything and its data says less. */
function commandOf(job: Job): { name: CommandName; data: CommandData } {
  const parsed = CommandData.safeParse(job.data ?? {})
  if (!parsed.success) {
    const reason = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'data'}: ${message}`).join('; ')
    throw new HysasError('BAD_MESSAGE', { reason })
  }
  const data = parsed.data
  const named = COMMANDS.find((command) => command === job.name)
  const name = data.command ?? named ?? (data.type && data.nickname ? 'start' : undefined)
  if (!name)
    throw new HysasError('BAD_MESSAGE', { reason: `"${job.name.slice(0, 40)}" is none of ${COMMANDS.join(', ')}` })
  return { name, data }
}
