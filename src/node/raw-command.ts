import { createHash, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { HysasError } from '../errors.js'
import type { CommandData, CommandName } from '../fleet/commands.js'
import { checkNickname, checkType } from '../redis/names.js'

/** Bytes of a raw command; more is refused unread. */
const LIMIT_BYTES = 256 * 1024

/** The ancestor's operation names, and ours. */
const OPERATIONS: Record<string, CommandName> = {
  start_worker: 'start',
  terminate_worker: 'stop',
  start: 'start',
  stop: 'stop',
  restart_worker: 'restart',
  restart: 'restart',
}

const Raw = z.object({
  type: z.literal('sys'),
  operation_name: z.string().max(100).optional(),
  func: z.string().max(100).optional(),
  kwargs: z.record(z.string(), z.unknown()).optional(),
  token: z.string().max(1000).optional(),
})

/**
 * Reads a message of the channel of commands: `{type: "sys", operation_name, kwargs: {worker_name, nickname, ...}}` or
 * `{type: "sys", func: "shutdown"}`. All of `kwargs` but worker_name, nickname and params are parameters.
 * @throws HysasError BAD_MESSAGE, BAD_NICKNAME, BAD_TYPE, TOO_LARGE, FORBIDDEN (token)
 */
export function readRaw(raw: string, commandToken?: string): { name: CommandName; data: CommandData } {
  const bytes = Buffer.byteLength(raw)
  if (bytes > LIMIT_BYTES) throw new HysasError('TOO_LARGE', { what: 'command', bytes, limit: LIMIT_BYTES })
  const message = Raw.safeParse(parse(raw))
  if (!message.success) {
    const reason = message.error.issues
      .map(({ path, message }) => `${path.join('.') || 'message'}: ${message}`)
      .join('; ')
    throw new HysasError('BAD_MESSAGE', { reason })
  }
  const { operation_name, func, kwargs = {}, token } = message.data
  if (commandToken !== undefined && !sameText(token ?? '', commandToken)) {
    throw new HysasError('FORBIDDEN', { reason: 'the command carries no valid token' })
  }
  const word = operation_name ?? func ?? ''
  if (word === 'shutdown') return { name: 'shutdown', data: {} }
  const name = Object.hasOwn(OPERATIONS, word) ? OPERATIONS[word] : undefined
  if (!name) throw new HysasError('BAD_MESSAGE', { reason: `the operation ${JSON.stringify(word)} is not known` })
  const { worker_name, nickname, params, ...rest } = kwargs
  if (nickname === undefined) throw new HysasError('BAD_MESSAGE', { reason: 'kwargs.nickname is missing' })
  if (name !== 'start') return { name, data: { nickname: checkNickname(nickname) } }
  if (worker_name === undefined) throw new HysasError('BAD_MESSAGE', { reason: 'kwargs.worker_name is missing' })
  const given = typeof params === 'object' && params !== null ? (params as Record<string, unknown>) : {}
  return {
    name,
    data: { type: checkType(worker_name), nickname: checkNickname(nickname), params: { ...rest, ...given } },
  }
}

function parse(raw: string): unknown {
  // protocol 2 and later begin with 0x80; older ones with an opcode that no JSON text begins with
  if (/^(\x80|�|\(dp?\d|c[a-z_]+\n)/.test(raw)) {
    throw new HysasError('BAD_MESSAGE', { reason: 'it looks like a Python pickle; send JSON' })
  }
  try {
    return JSON.parse(raw, (key, value) => {
      if (key === '__proto__' || key === 'constructor') throw new Error(`the key ${key} is not allowed`)
      return value
    })
  } catch (error) {
    const text = error instanceof RangeError ? 'it is nested too deeply' : (error as Error).message.slice(0, 200)
    throw new HysasError('BAD_MESSAGE', { reason: `it is not JSON that is allowed (${text})` })
  }
}

/** In constant time, whatever their lengths. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
