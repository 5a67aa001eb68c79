import type { Redis } from 'ioredis'
import type { EventInput, Events } from '../contract.js'
import { HysasError, messageOf } from '../errors.js'
import type { Names } from '../redis/names.js'
import { whileRefused } from '../redis/refusals.js'
import { recordFenced } from '../redis/run-scripts.js'
import type { Fence } from './fence.js'

const DATA_LIMIT = 64 * 1024
const SEVERITIES = ['info', 'warning', 'error', 'critical']

/** Events that a worker records, in the worker's name and fenced like all that it writes. */
export function createEvents(of: { redis: Redis; names: Names; fence: Fence; node: string }): Events {
  const { fence } = of
  const { type, nickname } = fence.run
  return {
    async record(kind, event = {}) {
      fence.check()
      const entry = { type, nickname, node: of.node, epoch: fence.epoch, ...checkEvent(kind, event) }
      const write = () => recordFenced(of.redis, of.names, fence.run, entry)
      const kept = await whileRefused(write, () => fence.closed)
      if (!kept) throw fence.refused()
    },
  }
}

/** @throws HysasError BAD_ARGS, TOO_LARGE */
function checkEvent(kind: unknown, event: EventInput) {
  const { source = '', severity = 'info', message = '', data = null, key = '' } = event
  if (typeof kind !== 'string' || !/^[A-Za-z][\w.-]{0,63}$/.test(kind)) {
    throw refusal('kind: a word of at most 64 letters, digits, "_", "." or "-" is wanted')
  }
  if (!SEVERITIES.includes(severity)) throw refusal(`severity: one of ${SEVERITIES.join(', ')} is wanted`)
  const texts = {
    source: text('source', source, 255),
    message: text('message', message, 4096),
    key: text('key', key, 255),
  }
  return { kind, severity, ...texts, data: checkData(data) }
}

function text(name: string, given: unknown, limit: number): string {
  if (typeof given !== 'string') throw refusal(`${name}: a text is wanted`)
  if (given.length <= limit) return given
  if (name === 'key') throw refusal(`key: at most ${limit} characters are wanted`) // a cut key could equal another
  return `${given.slice(0, limit - 1)}…`
}

function checkData(data: unknown): unknown {
  let json: string | undefined
  try {
    json = JSON.stringify(data)
  } catch (error) {
    throw refusal(`data: it can not be written as JSON: ${messageOf(error)}`)
  }
  const bytes = Buffer.byteLength(json ?? '')
  if (bytes > DATA_LIMIT) throw new HysasError('TOO_LARGE', { what: "event's data", bytes, limit: DATA_LIMIT })
  return json === undefined ? null : data
}

function refusal(problems: string): HysasError {
  return new HysasError('BAD_ARGS', { operation: 'events.record', problems })
}
