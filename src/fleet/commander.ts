import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { HysasError } from '../errors.js'
import { redisNowMs } from '../redis/fleet-scripts.js'
import type { Names } from '../redis/names.js'
import type { CommandAnswer, CommandData, CommandName } from './commands.js'
import { type Effect, startedEffect, stoppedEffect } from './effect.js'
import type { Queues } from './queues.js'
import { NO_WAIT_MS, type Submitted, submit, takeReply, withdraw } from './submit.js'
import type { CommandOutcome } from './views.js'

export interface CommandOptions {
  /** How long to wait for the effect, ms. Default 10,000. At its end the command is withdrawn. */
  timeoutMs?: number
  /** Only queue it; it then stays good for an hour. */
  noWait?: boolean
  /** Who gives it, for the record: `cli:root@host`, `web:operator 127.0.0.1`. */
  by?: string
  /** Told while waiting, for people: that no node is up. */
  notice?: (text: string) => void
  signal?: AbortSignal
}

const TIMEOUT_MS = 10_000

export interface CommanderOptions {
  redis: Redis
  names: Names
  /** Where that is, without password, for errors. */
  redisShown: string
  queues(): Promise<Queues>
}

/** Gives commands, and waits until their effect is seen. */
export function createCommander({ redis, names, redisShown, queues }: CommanderOptions) {
  const context = { redis, names, queues }
  /** Commands that are waited for at this moment. */
  let underWay = 0

  /** Sends a command and waits until `effect` gives something. */
  async function command<T>(
    name: CommandName,
    data: CommandData,
    options: CommandOptions,
    effect: (answer: unknown, submitted: Submitted) => Promise<T | undefined>,
  ): Promise<T> {
    const timeoutMs = options.timeoutMs ?? TIMEOUT_MS
    const deadline = performance.now() + timeoutMs
    const submitted = await submit(context, name, { ...data, by: options.by ?? 'client' }, timeoutMs)
    const anyNode = (await redis.zcount(names.nodes, await redisNowMs(redis), '+inf')) > 0
    if (!anyNode) options.notice?.(`no node is up on ${redisShown}; waiting ${timeoutMs / 1000} s for one`)
    let answer: { value: unknown } | undefined
    underWay++
    try {
      // one alone may ask more often than each of a hundred
      for (let pauseMs = underWay > 1 ? 4 : 2; ; pauseMs = Math.min(50, pauseMs * 1.25)) {
        answer ??= await takeReply(redis, names, submitted.reply)
        const done = answer && (await effect(answer.value, submitted))
        if (done !== undefined) return done
        if (options.signal?.aborted) {
          if (!answer) await withdraw(context, submitted, data.nickname ?? '')
          options.signal.throwIfAborted()
        }
        if (performance.now() > deadline) break
        await delay(pauseMs)
      }
    } finally {
      underWay--
    }
    let fate: Fate = 'admitted'
    if (!answer) {
      const withdrawn = await withdraw(context, submitted, data.nickname ?? '')
      // a desk may have come to its end just now
      answer = await takeReply(redis, names, submitted.reply)
      if (!answer) fate = withdrawn ? 'withdrawn' : 'taken'
    }
    if (fate === 'withdrawn' && !anyNode) throw new HysasError('NO_NODE', { redis: redisShown })
    throw timedOut(name, data, timeoutMs, fate)
  }

  /** Start, stop and restart: admitted by the desk, then seen in the fleet. */
  async function commandWorker(
    name: 'start' | 'stop' | 'restart',
    data: CommandData & { nickname: string },
    options: CommandOptions,
  ): Promise<CommandOutcome> {
    const { timeoutMs = TIMEOUT_MS } = options
    const begun = performance.now()
    const ms = () => Math.round((performance.now() - begun) * 10) / 10
    const queued = {
      type: data.type ?? '',
      nickname: data.nickname,
      result: 'queued' as const,
      node: '',
      pid: null,
      epoch: null,
    }
    if (options.noWait) {
      const { revision } = await submit(context, name, { ...data, by: options.by ?? 'client' }, NO_WAIT_MS, false)
      return { ...queued, revision, ms: ms() }
    }
    const past = { start: 'started', stop: 'stopped', restart: 'restarted' } as const
    return command(name, data, options, async (answer, { revision }) => {
      const { result, type, next_tick } = answer as CommandAnswer
      const of = { type, nickname: data.nickname, revision }
      const effect: Effect | undefined = await (name === 'stop' ? stoppedEffect : startedEffect)(redis, names, of)
      if (!effect) {
        if (next_tick === undefined || next_tick * 1000 < Date.now() + timeoutMs) return undefined
        // it is in force; the first run of a calendar is not waited for
        return { ...queued, type, revision, result: past[name], next_tick, ms: ms() }
      }
      const { node, pid, epoch, stopInfo } = effect
      const word = result === 'unchanged' ? 'unchanged' : past[name]
      const outcome: CommandOutcome = { ...queued, type, revision, result: word, node, pid, epoch, ms: ms() }
      return name === 'stop' ? { ...outcome, stop_info: stopInfo } : outcome
    })
  }

  return { command, commandWorker }
}

/** How far a command has come whose effect was not seen in time. */
type Fate = 'admitted' | 'taken' | 'withdrawn'

function timedOut(name: CommandName, data: CommandData, timeoutMs: number, fate: Fate): HysasError {
  const seconds = timeoutMs / 1000
  const nickname = data.nickname ?? ''
  if (name === 'send') return new HysasError('NO_ANSWER', { nickname, operation: data.operation, seconds })
  const tells = nickname ? `\`hysas show ${nickname}\`` : '`hysas nodes`'
  const hint = {
    admitted: `It was accepted and takes effect as soon as it can; ${tells} tells what it waits for.`,
    taken: `A node has taken it up and may carry it out yet; ${tells} tells what has become of it.`,
    withdrawn: 'No node took it up in time, and it was withdrawn; `hysas nodes` shows who is up.',
  }[fate]
  return new HysasError('TIMEOUT', { what: `${name} ${nickname}`.trim(), seconds, hint })
}
