import { createHash } from 'node:crypto'
import { HysasError } from '../errors.js'
import type { EventsTable } from './schema.js'
import type { StoredEvent } from './types.js'

/** The longest `data` that is kept, in characters of JSON. */
export const DATA_LIMIT = 1024 * 1024

/** Characters that the columns hold. */
const LIMITS = { kind: 64, severity: 16, type: 64, nickname: 64, node: 255, source: 255, message: 10_000, key: 1000 }

/** Milliseconds and number of an id such as `1763831234567-0`. @throws HysasError USAGE */
export function parseId(id: string): { time: number; seq: number } {
  const match = /^(\d{1,16})(?:-(\d{1,16}))?$/.exec(id)
  const time = Number(match?.[1])
  const seq = Number(match?.[2] ?? 0)
  if (!match || !Number.isSafeInteger(time) || !Number.isSafeInteger(seq)) {
    throw new HysasError('USAGE', { reason: `${JSON.stringify(id)} is not the id of an event` })
  }
  return { time, seq }
}

/**
 * The row of an event; `time` is that of the id. Whatever is too long is cut, so that no single event can hold up the
 * others behind it. @throws HysasError USAGE where the id is none
 */
export function rowOf(event: StoredEvent): EventsTable {
  const { nickname, key } = event
  const { time, seq } = parseId(event.id)
  return {
    time, // named one by one: to spread them takes ten times as long as all the rest
    seq,
    kind: text(event.kind, LIMITS.kind),
    severity: text(event.severity, LIMITS.severity),
    type: text(event.type, LIMITS.type),
    nickname: text(nickname, LIMITS.nickname),
    node: text(event.node, LIMITS.node),
    epoch: Number.isSafeInteger(event.epoch) ? event.epoch : null,
    source: text(event.source, LIMITS.source),
    message: text(event.message, LIMITS.message),
    data: dataText(event.data),
    dedupe_key: text(key, LIMITS.key),
    // A hash, so that keys of any length count in full, and alike in all collations.
    dedupe_hash: key ? createHash('sha256').update(`${nickname}\n${key}`).digest('hex') : null,
  }
}

export function eventOf(row: EventsTable): StoredEvent {
  return {
    id: `${row.time}-${row.seq}`,
    time: row.time,
    kind: row.kind,
    severity: row.severity as StoredEvent['severity'],
    type: row.type,
    nickname: row.nickname,
    node: row.node,
    epoch: row.epoch,
    source: row.source,
    message: row.message,
    data: row.data === null ? null : JSON.parse(row.data),
    key: row.dedupe_key,
  }
}

/** NUL and halves of characters become U+FFFD: not every database takes them. */
function text(value: unknown, limit: number): string {
  const given = typeof value === 'string' ? value : String(value ?? '')
  const cut = given.length > limit ? `${given.slice(0, limit - 1)}…` : given
  // nearly all are fit, and to see that costs far less than to replace nothing
  return SUSPECT.test(cut) ? cut.replace(/[\0\p{Surrogate}]/gu, '\ufffd') : cut
}

const SUSPECT = /[\0\ud800-\udfff]/

function dataText(data: unknown): string | null {
  if (data === undefined || data === null) return null
  const json = JSON.stringify(data)
  if (json.length <= DATA_LIMIT) return json
  return JSON.stringify({ truncated: true, characters: json.length, begins: json.slice(0, 1000) })
}
