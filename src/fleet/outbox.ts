import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { HysasError } from '../errors.js'
import type { Names } from '../redis/names.js'
import { OUTBOX_LENGTH } from '../redis/record-scripts.js'
import { script } from '../redis/script.js'
import type { StoredEvent } from '../store/types.js'
import type { OutboxSource } from '../store/writer.js'

/** The writer's place is free again so long after its holder was last heard of. */
const LEASE_MS = 10_000
/** Of the JSON of one event. */
const EVENT_LIMIT = 1024 * 1024

/** The stream of events on their way to the event store, as the writer sees it. One for each writer. */
export function createOutbox(redis: Redis, names: Names): OutboxSource {
  const me = randomUUID()
  return {
    lease: async () => (await leaseScript(redis, [names.writer], [me, LEASE_MS])) === 1,
    release: async () => {
      await releaseScript(redis, [names.writer], [me])
    },
    read: async (max, after) => {
      const from = after === undefined ? '-' : `(${after}`
      const [ids, texts] = await readScript(redis, [names.outbox], [from, max])
      const events = eventsOf(ids ? ids.split(' ') : [], texts)
      if (events) return events
      const entries = await redis.xrange(names.outbox, from, '+', 'COUNT', max)
      return entries.map(([id, fields]) => eventOf(id, fields))
    },
    remove: async (ids) => {
      const [first, last] = [ids[0], ids.at(-1)]
      if (first === undefined || last === undefined) return
      const keys = [names.outbox, names.store]
      if (!(await removeUpToScript(redis, keys, [first, last]))) await removeScript(redis, keys, ids)
    },
    size: async () => {
      const [waiting, dropped, written] = await sizeScript(redis, [names.outbox, names.store], [])
      return { waiting, dropped, written }
    },
    wait: async (ms, signal) => {
      await sleep(ms, undefined, { signal }).catch(() => {}) // aborted
    },
  }
}

/**
 * Puts an event on its way to the event store and tells it on the channel of events. For nodes; a worker's go through
 * its fence. Returns the event's id. @throws HysasError TOO_LARGE
 */
export async function recordEvent(
  redis: Redis,
  names: Names,
  event: Partial<Omit<StoredEvent, 'id' | 'time'>> & { kind: string },
): Promise<string> {
  const json = JSON.stringify({ ...EMPTY, ...event })
  const bytes = Buffer.byteLength(json)
  if (bytes > EVENT_LIMIT) throw new HysasError('TOO_LARGE', { what: 'event', bytes, limit: EVENT_LIMIT })
  return recordScript(redis, [names.outbox, names.eventsChannel], [json, OUTBOX_LENGTH])
}

const EMPTY: Omit<StoredEvent, 'id' | 'time' | 'kind'> = {
  severity: 'info',
  type: '',
  nickname: '',
  node: '',
  epoch: null,
  source: '',
  message: '',
  data: null,
  key: '',
}

/** All of them, as is nearly always possible; else undefined, and they have to be looked at one by one. */
function eventsOf(ids: readonly string[], texts: string): StoredEvent[] | undefined {
  try {
    const parsed = JSON.parse(`[${texts}]`) as (Partial<StoredEvent> | null)[]
    if (parsed.length !== ids.length) return undefined
    const events: StoredEvent[] = []
    for (const [i, event] of parsed.entries()) {
      if (typeof event !== 'object' || event === null) return undefined
      const id = ids[i] ?? ''
      events.push(completed(event, id, Number(id.slice(0, id.indexOf('-')))))
    }
    return events
  } catch {
    return undefined
  }
}

/** What can't be read is kept as an event too, rather than lost or in the way of the others. */
function eventOf(id: string, fields: readonly string[]): StoredEvent {
  const time = Number(id.split('-')[0])
  const json = fields[fields.indexOf('e') + 1] ?? ''
  try {
    const event: unknown = JSON.parse(json)
    if (typeof event === 'object' && event !== null) {
      return completed(event as Partial<StoredEvent>, id, time)
    }
  } catch {
    // told below
  }
  const message = 'An entry of the outbox is not an event.'
  return { ...EMPTY, kind: 'unreadable', severity: 'error', message, data: { fields: [...fields] }, id, time }
}

/** Named one by one, as that is several times as fast as to spread. */
function completed(event: Partial<StoredEvent>, id: string, time: number): StoredEvent {
  return {
    id,
    time,
    kind: event.kind ?? '',
    severity: event.severity ?? EMPTY.severity,
    type: event.type ?? '',
    nickname: event.nickname ?? '',
    node: event.node ?? '',
    epoch: event.epoch ?? null,
    source: event.source ?? '',
    message: event.message ?? '',
    data: event.data ?? null,
    key: event.key ?? '',
  }
}

// The id's own time is the event's. Spliced, as Lua's JSON would make objects of empty lists.
const recordScript = script<string>(`
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'e', ARGV[1])
local time = string.match(id, '^%d+')
redis.call('PUBLISH', KEYS[2], '{"id":"' .. id .. '","time":' .. time .. ',' .. string.sub(ARGV[1], 2))
return id
`)

const leaseScript = script<number>(`
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`)

const releaseScript = script<number>(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`)

/**
 * Ids and JSON of the first entries, each in one text: to take two thousand replies apart costs more than all else. The
 * two don't fit together where there is an entry that is not of our making.
 */
const readScript = script<[string, string]>(`
local ids, texts, bytes = {}, {}, 0
for i, entry in ipairs(redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2])) do
  local fields = entry[2]
  if #fields ~= 2 or fields[1] ~= 'e' then return {'?', ''} end
  ids[i], texts[i], bytes = entry[1], fields[2], bytes + #fields[2]
  if bytes > 16777216 then break end -- the rest comes with the next
end
return {table.concat(ids, ' '), table.concat(texts, ',')}
`)

/**
 * What was added and neither waits nor was removed by a writer was dropped. Redis counts what was added; we count what
 * was removed. A count that is missing or can't be (its Redis lost data) begins anew.
 */
const COUNT = `
local added, length = 0, redis.call('XLEN', KEYS[1])
if length > 0 or redis.call('EXISTS', KEYS[1]) == 1 then
  local info = redis.call('XINFO', 'STREAM', KEYS[1])
  for i = 1, #info, 2 do if info[i] == 'entries-added' then added = info[i + 1] end end
end
local gone = added - length
local removed = tonumber(redis.call('HGET', KEYS[2], 'outbox_removed'))
if not removed or removed > gone then
  removed = gone
  redis.call('HSET', KEYS[2], 'outbox_removed', removed)
end
`

const sizeScript = script<[number, number, number]>(`${COUNT}
return {length, math.max(0, gone - removed), removed}
`)

/**
 * Removes the oldest in one go: from the first of a batch, before which there must be none, to its last, which must still be
 * there. So what has come into the place of a stream that Redis lost is not taken for it. @returns 0 where that is not so
 */
const removeUpToScript = script<number>(`
local first, last = ARGV[1], ARGV[2]
if #redis.call('XRANGE', KEYS[1], last, last) == 0 then return 0 end
if #redis.call('XRANGE', KEYS[1], '-', '(' .. first, 'COUNT', 1) > 0 then return 0 end
${COUNT}
local ms, seq = string.match(last, '^(%d+)-(%d+)$')
local next = ms .. '-' .. string.format('%.0f', tonumber(seq) + 1)
redis.call('HINCRBY', KEYS[2], 'outbox_removed', redis.call('XTRIM', KEYS[1], 'MINID', next))
return 1
`)

const removeScript = script<number>(`${COUNT}
local count = 0
for i = 1, #ARGV, 5000 do count = count + redis.call('XDEL', KEYS[1], unpack(ARGV, i, math.min(#ARGV, i + 4999))) end
redis.call('HINCRBY', KEYS[2], 'outbox_removed', count)
return count
`)
