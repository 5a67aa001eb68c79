import type { Redis } from 'ioredis'
import { z } from 'zod'
import { HysasError, nearest } from '../errors.js'
import {
  type Admission,
  type AdmitRequest,
  admit,
  drawRevision,
  redisNowMs,
  settleStopped,
  withdrawRevision,
} from '../redis/fleet-scripts.js'
import { checkNickname, checkType, type Names } from '../redis/names.js'
import { readWanted } from './fleet.js'
import { readForeignWorkers } from './foreign.js'
import { type NodeEntry, type OfferedType, offerOf } from './nodes.js'
import type { Queues, WorkerJob } from './queues.js'

export const COMMANDS = ['start', 'stop', 'restart', 'send', 'shutdown'] as const
export type CommandName = (typeof COMMANDS)[number]

/** Data of a job on the queue `Command`. By hand `{type, nickname, params}` is enough. */
export const CommandData = z.strictObject({
  command: z.enum(COMMANDS).optional(),
  type: z.string().optional(),
  nickname: z.string().optional(),
  // not copied: a key such as __proto__ would be gone before it could be refused
  params: z.custom<Record<string, unknown>>(isObject, 'an object is wanted').optional(),
  operation: z.string().max(100).optional(),
  args: z.custom<Record<string, unknown>>(isObject, 'an object is wanted').optional(),
  /** Of shutdown: stop all workers for good first. */
  forget: z.boolean().optional(),
  revision: z.number().int().positive().optional(),
  /** Redis ms after which it is refused. */
  deadline: z.number().int().positive().optional(),
  /** Who gives it. */
  by: z.string().max(200).optional(),
  /** Where the answer goes: names.reply(reply). */
  reply: z.string().max(100).optional(),
})
export type CommandData = z.infer<typeof CommandData>

export interface CommandContext {
  redis: Redis
  names: Names
  queues: Queues
  /** Live nodes, this one included, not older than a second; `fresh`: as they are now. */
  nodes(fresh: boolean): Promise<NodeEntry[]>
  /** A command has been admitted: this node need not wait until it hears so. */
  onAdmitted?(op: AdmitRequest['op'], nickname: string, revision: number): void
  /** A worker's job has been added: likewise. */
  onJob?(type: string): void
  /** @throws HysasError BAD_PARAMS */
  checkParams(type: string, schema: Record<string, unknown>, params: unknown): void
}

export interface CommandAnswer {
  command: CommandName
  result: 'admitted' | 'unchanged'
  type: string
  nickname: string
  revision: number
  /** Of a worker that runs by a calendar: when its first tick is due, Unix seconds. */
  next_tick?: number
}

/**
 * Carries out one command: what each of them does. Of start, stop and restart that is the admission; the effect follows.
 * @throws HysasError the coded refusal
 */
export async function execute(context: CommandContext, name: CommandName, data: CommandData): Promise<CommandAnswer> {
  let revision = data.revision
  try {
    if (revision === undefined) {
      await refuseExpired(context, name, data)
      revision = await draw(context, data)
    }
    return await carryOut(context, name, { ...data, revision })
  } catch (error) {
    // later commands of the nickname need not wait for it
    if (revision !== undefined && data.nickname !== undefined)
      await withdrawRevision(context.redis, context.names, data.nickname, revision)
    throw error
  }
}

async function carryOut(context: CommandContext, name: CommandName, given: Given): Promise<CommandAnswer> {
  // whether these two are in time is asked with their admission: each answer of Redis takes its time
  if (name === 'start') return start(context, given)
  if (name === 'stop') return stop(context, given)
  await refuseExpired(context, name, given)
  if (name === 'restart') return restart(context, given)
  if (name === 'send') return send(context, given)
  return shutdown(context, given)
}

type Given = CommandData & { revision: number }

async function refuseExpired({ redis }: CommandContext, command: string, { deadline }: CommandData): Promise<void> {
  if (deadline === undefined) return
  const lateMs = (await redisNowMs(redis)) - deadline
  if (lateMs > 0) throw expired(command, lateMs)
}

function expired(command: string, lateMs: number): HysasError {
  return new HysasError('EXPIRED', { command, agoSeconds: Math.ceil(lateMs / 1000) })
}

/** A command given by hand has no revision: the desk draws it, so that it counts as of now. */
async function draw({ redis, names }: CommandContext, { nickname }: CommandData): Promise<number> {
  return (await drawRevision(redis, names, nickname === undefined ? '' : checkNickname(nickname), 1000)).revision
}

async function start(context: CommandContext, data: Given): Promise<CommandAnswer> {
  const type = checkType(data.type)
  const nickname = checkNickname(data.nickname)
  const offer = await offered(context, type)
  const params = data.params ?? {}
  context.checkParams(type, offer.params, params)
  const admission = await decide(context, {
    ...request('start', data),
    type,
    params: JSON.stringify(params),
    kind: offer.kind,
    isolation: offer.isolation,
  })
  if (admission.verdict === 'taken') {
    const where =
      admission.status === 'running' ? `runs on node ${admission.node}, process ${admission.pid}` : 'is wanted already'
    throw new HysasError('NAME_TAKEN', { nickname, type: admission.type, holder: where, node: admission.node })
  }
  const next = await addWorker(context, type, data, offer)
  return { command: 'start', result: 'admitted', type, nickname, revision: data.revision, ...next }
}

async function stop(context: CommandContext, data: Given): Promise<CommandAnswer> {
  const nickname = checkNickname(data.nickname)
  const { verdict, type } = await decide(context, request('stop', data))
  if (verdict === 'unknown') throw await unknownWorker(context, nickname)
  if (!type) await refuseForeign(context, nickname)
  if (verdict === 'protected') throw new HysasError('PROTECTED_WORKER', { nickname })
  if (type) {
    await context.queues.removeWorker({ type, nickname })
    await settleStopped(context.redis, context.names, type, nickname)
  }
  const result = verdict === 'unchanged' ? 'unchanged' : 'admitted'
  return { command: 'stop', result, type, nickname, revision: data.revision }
}

async function restart(context: CommandContext, data: Given): Promise<CommandAnswer> {
  const nickname = checkNickname(data.nickname)
  const type = await context.redis.hget(context.names.worker(nickname), 'type')
  if (!type) throw await unknownWorker(context, nickname)
  const offer = await offered(context, type)
  if (data.params) context.checkParams(type, offer.params, data.params)
  const params = data.params ? JSON.stringify(data.params) : ''
  // the file may have become a processor of another kind since
  const { kind, isolation } = offer
  const { verdict } = await decide(context, { ...request('restart', data), params, kind, isolation })
  if (verdict === 'unknown') throw await unknownWorker(context, nickname)
  if (verdict === 'stopped') throw new HysasError('NOT_RUNNING', { nickname, state: 'stopped', type })
  await context.queues.removeWorker({ type, nickname })
  const next = await addWorker(context, type, data, offer)
  return { command: 'restart', result: 'admitted', type, nickname, revision: data.revision, ...next }
}

async function addWorker(
  { redis, names, queues, onJob }: CommandContext,
  type: string,
  data: Given,
  offer: OfferedType,
): Promise<{ next_tick?: number }> {
  const job = jobOf(type, data, offer)
  await queues.addWorker(job, true, () => onJob?.(type))
  const dueMs = offer.cron ? await queues.nextTickMs(job) : undefined
  if (dueMs === undefined) return {}
  await redis.hset(names.worker(job.nickname), 'first_tick', dueMs / 1000)
  return { next_tick: dueMs / 1000 }
}

/** Passes a call on to the worker, which answers the caller itself. */
async function send({ redis, names, ...rest }: CommandContext, data: Given): Promise<CommandAnswer> {
  const nickname = checkNickname(data.nickname)
  const [type, running] = await redis.hmget(names.worker(nickname), 'type', 'running')
  if (!type) throw await unknownWorker({ redis, names, ...rest }, nickname)
  const message = { type: 'sys', operation_name: data.operation ?? '', kwargs: data.args ?? {}, reply: data.reply }
  const heard = await redis.publish(names.workerCommand(type, nickname), JSON.stringify(message))
  if (heard === 0)
    throw new HysasError('NOT_RUNNING', { nickname, type, state: running === '1' ? 'starting' : 'not up' })
  return { command: 'send', result: 'admitted', type, nickname, revision: data.revision }
}

async function shutdown(context: CommandContext, data: Given): Promise<CommandAnswer> {
  const { redis, names } = context
  if (data.forget) {
    for (const { nickname } of await readWanted(redis, names)) {
      const { revision } = await drawRevision(redis, names, nickname, 1000)
      await stop(context, { nickname, revision, by: data.by }).catch((error: unknown) => {
        if (!(error instanceof HysasError)) throw error // the system's own workers stay
      })
    }
  }
  await redis.set(names.shutdown, await redisNowMs(redis), 'EX', 60)
  await redis.publish(names.wake, JSON.stringify({ what: 'shutdown' }))
  return { command: 'shutdown', result: 'admitted', type: '', nickname: '', revision: data.revision }
}

function request(op: AdmitRequest['op'], data: Given): AdmitRequest {
  return {
    op,
    nickname: checkNickname(data.nickname),
    revision: data.revision,
    type: '',
    params: '',
    by: data.by ?? 'by hand',
    system: false,
    kind: '',
    isolation: '',
    patient: true,
    deadline: data.deadline,
  }
}

/** How long a command waits for earlier ones of its nickname that have not been seen yet. */
const PATIENCE_MS = 1000

async function decide(context: CommandContext, request: AdmitRequest): Promise<Admission> {
  const { redis, names } = context
  const { op, nickname, revision } = request
  const until = performance.now() + PATIENCE_MS
  for (let foreignSeen = false; ; ) {
    const admission = await admit(redis, names, { ...request, foreignSeen, patient: performance.now() < until })
    const { verdict } = admission
    if (verdict === 'superseded') throw new HysasError('SUPERSEDED', { nickname })
    if (verdict === 'expired') throw expired(op, admission.lateMs)
    if (verdict === 'admitted') context.onAdmitted?.(op, nickname, revision)
    if (verdict === 'foreign') {
      await refuseForeignName(context, nickname)
      foreignSeen = true
    } else if (verdict === 'wait') await new Promise((resolve) => setTimeout(resolve, 20))
    else return admission
  }
}

async function offered(context: CommandContext, type: string): Promise<OfferedType> {
  let nodes = await context.nodes(false)
  let offer = offerOf(nodes, type)
  if (!offer?.usable) {
    nodes = await context.nodes(true) // it may have come within the second
    offer = offerOf(nodes, type)
  }
  if (!offer) {
    const known = new Set(nodes.flatMap((node) => Object.keys(node.offered)))
    throw new HysasError('UNKNOWN_TYPE', { type, nearest: nearest(type, known) })
  }
  if (!offer.usable) throw new HysasError('BROKEN_TYPE', { type, reason: offer.error })
  return offer
}

/** @throws HysasError FOREIGN_WORKER */
async function refuseForeign({ redis, names }: CommandContext, nickname: string): Promise<void> {
  if (await redis.hexists(names.worker(nickname), 'type')) return
  const [worker] = await readForeignWorkers(redis, names, () => redisNowMs(redis), nickname)
  if (worker) throw new HysasError('FOREIGN_WORKER', { nickname, type: worker.type })
}

/** A nickname is unique over both systems. @throws HysasError NAME_TAKEN */
async function refuseForeignName({ redis, names }: CommandContext, nickname: string): Promise<void> {
  const [worker] = await readForeignWorkers(redis, names, () => redisNowMs(redis), nickname)
  if (!worker || worker.status === 'disappeared' || worker.status === 'terminated') return
  const holder = 'runs in the Python HySAS on the same Redis'
  throw new HysasError('NAME_TAKEN', { nickname, type: worker.type, holder, node: '' })
}

async function unknownWorker({ redis, names }: CommandContext, nickname: string): Promise<HysasError> {
  const [foreign] = await readForeignWorkers(redis, names, () => redisNowMs(redis), nickname)
  if (foreign) return new HysasError('FOREIGN_WORKER', { nickname, type: foreign.type })
  const known = await redis.smembers(names.workers)
  return new HysasError('UNKNOWN_WORKER', { nickname, nearest: nearest(nickname, known) })
}

function jobOf(type: string, data: Given, offer: OfferedType): WorkerJob {
  const { kind, every, cron, timezone } = offer
  return { type, nickname: checkNickname(data.nickname), revision: data.revision, kind, every, cron, timezone }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
