import type { Redis } from 'ioredis'
import type { Context, Operation, Schema, Source } from '../contract.js'
import { HysasError, messageOf, nearest } from '../errors.js'
import type { Names } from '../redis/names.js'
import { check } from './check.js'
import { codedOf, stackOf } from './failure.js'
import type { Handle, Hearing } from './hearing.js'
import { isLogLevel, LOG_LEVELS } from './levels.js'
import { noteError, type RunState } from './state.js'
import { throttle } from './throttle.js'

/** Of a message on the Command channel, and of the answer to it, in bytes. */
const LIMIT = 1024 * 1024
/** How long an answer waits to be fetched. */
const REPLY_SECONDS = 60

type Operations = Record<string, Operation<Schema | undefined, unknown>>
interface Call {
  operation: string
  args: Record<string, unknown>
  /** Who waits for the answer: part of a key. */
  reply: string | undefined
}

/**
 * What a message on the worker's Command channel does: calls one of the processor's operations, or one that every
 * worker has, and answers where an answer is wanted. Nothing that comes can make it throw.
 */
export function createOperations(of: {
  redis: Redis
  names: Names
  ctx: () => Context
  state: RunState
  hearing: Hearing
  operations: Operations
  setLogLevel: (level: string) => void
}): Handle {
  const { names, state } = of
  const nickname = () => of.ctx().nickname
  const malformed = throttle(1000, (text, held) => of.ctx().log.warn(held ? { more: held } : {}, text))

  const builtIn: Record<string, (args: Record<string, unknown>) => unknown> = {
    async subscribe(args) {
      await of.hearing.add(args as unknown as Source)
      return { hears: of.hearing.names() }
    },
    async unsubscribe(args) {
      const heard = await of.hearing.remove(args as unknown as Source)
      return { heard, hears: of.hearing.names() }
    },
    logLevel({ level }) {
      if (!isLogLevel(level)) {
        const problems = `level: one of ${LOG_LEVELS.join(', ')} is wanted`
        throw new HysasError('BAD_ARGS', { operation: 'logLevel', problems })
      }
      of.setLogLevel(level)
      return { level }
    },
  }

  const call = async ({ operation, args }: Call): Promise<unknown> => {
    if (Object.hasOwn(builtIn, operation)) return (await builtIn[operation]?.(args)) ?? null
    const declared = Object.hasOwn(of.operations, operation) ? of.operations[operation] : undefined
    if (!declared) {
      const known = [...Object.keys(of.operations), ...Object.keys(builtIn)]
      throw new HysasError('UNKNOWN_OPERATION', { nickname: nickname(), operation, nearest: nearest(operation, known) })
    }
    const checked = await check(declared.args as Schema | undefined, args)
    if (!checked.ok) throw new HysasError('BAD_ARGS', { operation, problems: checked.problems })
    try {
      return answerable(operation, nickname(), await declared.run(of.ctx(), checked.value as never))
    } catch (thrown) {
      noteError(state, thrown)
      of.ctx().log.error({ operation, stack: stackOf(thrown) }, `The operation ${operation} failed.`)
      const details = { operation, nickname: nickname(), reason: messageOf(thrown) }
      throw codedOf(thrown) ?? new HysasError('OPERATION_FAILED', details, { cause: thrown })
    }
  }

  const answer = async (reply: string | undefined, value: { ok: boolean; value?: unknown; error?: unknown }) => {
    if (reply === undefined) return
    const key = names.reply(reply)
    await of.redis.multi().lpush(key, JSON.stringify(value)).expire(key, REPLY_SECONDS).exec()
  }

  const obey = async (raw: string): Promise<void> => {
    const { reply, ...read } = readCall(raw)
    try {
      if ('refusal' in read) throw read.refusal
      await answer(reply, { ok: true, value: await call({ ...read, reply }) })
    } catch (thrown) {
      // a mistake of the caller is none of the worker's errors
      const error = codedOf(thrown) ?? new HysasError('INTERNAL', { reason: messageOf(thrown) })
      if (error.code !== 'OPERATION_FAILED') malformed(`A message on the Command channel was refused: ${error.message}`)
      await answer(reply, { ok: false, error: error.toJSON() })
    }
  }

  return ({ raw }) => obey(raw).catch((thrown: unknown) => malformed(`An answer was lost: ${messageOf(thrown)}`))
}

function readCall(raw: string): Call | { refusal: HysasError; reply: string | undefined } {
  const refuse = (reason: string, reply?: string) => ({ refusal: new HysasError('BAD_MESSAGE', { reason }), reply })
  if (raw.length > LIMIT) return refuse(`it has ${raw.length} characters, more than ${LIMIT}`)
  let message: unknown
  try {
    message = JSON.parse(raw, (key, value: unknown) => {
      if (key === '__proto__' || key === 'constructor' || key === 'prototype') throw new TypeError(key)
      return value
    })
  } catch (error) {
    return refuse(error instanceof TypeError ? `the key "${error.message}" is not allowed` : 'it is not JSON')
  }
  if (!isObject(message)) return refuse('it is not a JSON object')
  const { type, operation_name: operation, kwargs = {}, reply: id } = message
  const reply = typeof id === 'string' && /^[\w-]{1,64}$/.test(id) ? id : undefined
  if (id !== undefined && reply === undefined) return refuse('reply: an id of letters, digits, "_" and "-" is wanted')
  if (type !== 'sys') return refuse('type: "sys" is wanted', reply)
  if (typeof operation !== 'string' || operation === '') return refuse('operation_name: a name is wanted', reply)
  if (operation.length > 128) return refuse('operation_name: at most 128 characters are wanted', reply)
  if (!isObject(kwargs)) return refuse('kwargs: an object is wanted', reply)
  return { operation, args: kwargs, reply }
}

/** @throws HysasError OPERATION_FAILED, TOO_LARGE: what an operation returned can not be sent */
function answerable(operation: string, nickname: string, value: unknown): unknown {
  let json: string
  try {
    json = JSON.stringify(value ?? null) ?? 'null'
  } catch (error) {
    const reason = `what it returned can not be written as JSON: ${messageOf(error)}`
    throw new HysasError('OPERATION_FAILED', { operation, nickname, reason })
  }
  const bytes = Buffer.byteLength(json)
  if (bytes > LIMIT) throw new HysasError('TOO_LARGE', { what: 'answer', bytes, limit: LIMIT })
  return value ?? null
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
