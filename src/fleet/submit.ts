import type { Redis } from 'ioredis'
import { HysasError } from '../errors.js'
import { drawRevision, withdrawRevision } from '../redis/fleet-scripts.js'
import type { Names } from '../redis/names.js'
import { script } from '../redis/script.js'
import { addCommand, CAN_ADD_COMMANDS } from '../redis/submit-scripts.js'
import type { CommandAnswer, CommandData, CommandName } from './commands.js'
import type { Queues } from './queues.js'

export interface Submitting {
  redis: Redis
  names: Names
  /** Opened when they are needed: most commands need none, and BullMQ takes its time to load. */
  queues(): Promise<Queues>
}

export interface Submitted {
  jobId: string
  /** Where the answer will be: names.reply(reply). */
  reply: string
  revision: number
}

/** How long a command that nobody waits for stays good. */
export const NO_WAIT_MS = 3_600_000

/** Finished commands are kept by age, for people who look on Bull Board. */
const KEEP = { age: 86_400, count: 10_000 }

/**
 * Puts a command on the queue `Command`, with a revision drawn now and a deadline by Redis's clock.
 * @param wantsReply whether anybody waits for what the desk says
 */
export async function submit(
  { redis, names, queues }: Submitting,
  command: CommandName,
  data: CommandData,
  goodForMs: number,
  wantsReply = true,
): Promise<Submitted> {
  // only these come in an order that others wait for
  const ordered = command === 'start' || command === 'stop' || command === 'restart'
  const nickname = (ordered && data.nickname) || ''
  const options = { removeOnComplete: KEEP, removeOnFail: KEEP, stackTraceLimit: 1 }
  if (CAN_ADD_COMMANDS) {
    const added = { name: command, nickname, data, options: { attempts: 0, ...options }, goodForMs, wantsReply }
    const revision = await addCommand(redis, names, added)
    return { jobId: `c-${revision}`, reply: `c-${revision}`, revision }
  }
  const { revision, nowMs } = await drawRevision(redis, names, nickname, goodForMs)
  const reply = `c-${revision}`
  const { command: queue } = await queues()
  await queue().add(
    command,
    { ...data, revision, deadline: nowMs + goodForMs, ...(wantsReply && { reply }) },
    { jobId: reply, ...options },
  )
  return { jobId: reply, reply, revision }
}

/** Takes a command back that no desk has begun. @returns false where one has, so that its effect may come yet */
export async function withdraw(
  { redis, names, queues }: Submitting,
  submitted: Submitted,
  nickname: string,
): Promise<boolean> {
  const { command } = await queues()
  const removed = await command()
    .remove(submitted.jobId)
    .catch(() => 0)
  if (removed !== 1) return false
  await withdrawRevision(redis, names, nickname, submitted.revision)
  return true
}

/** What desk or worker answered, as it stands in Redis. */
type Reply = { ok: true; value?: unknown } | { ok: false; error: unknown }

/** Seconds that an answer is kept for who asked. */
const REPLY_SECONDS = 60

export async function giveReply(redis: Redis, names: Names, reply: string, answer: Reply): Promise<void> {
  await replyScript(redis, [names.reply(reply)], [JSON.stringify(answer), REPLY_SECONDS])
}

const replyScript = script<number>(`
redis.call('LPUSH', KEYS[1], ARGV[1])
return redis.call('EXPIRE', KEYS[1], ARGV[2])
`)

/**
 * The answer to a command, if it is there.
 * @throws HysasError the refusal that desk or worker sent
 */
export async function takeReply(
  redis: Redis,
  names: Names,
  reply: string,
): Promise<{ value: CommandAnswer | unknown } | undefined> {
  const text = await redis.lpop(names.reply(reply))
  if (text === null) return undefined
  const answer = JSON.parse(text) as Reply
  if (!answer.ok) throw HysasError.fromJSON(answer.error)
  return { value: answer.value }
}
