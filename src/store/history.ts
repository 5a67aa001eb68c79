import { type Kysely, type SelectQueryBuilder, sql } from 'kysely'
import { HysasError } from '../errors.js'
import { insertsOf } from './insert.js'
import { eventOf, parseId, rowOf } from './rows.js'
import type { Kind, Tables } from './schema.js'
import type { EventQuery, StoredEvent } from './types.js'

const MAX_LIMIT = 10_000
/** Rows that one transaction of `prune` removes, so that writers wait for milliseconds only. */
const PRUNE_ROWS = 5000

/** In one transaction. Returns how many were new. */
export async function append(db: Kysely<Tables>, kind: Kind, events: readonly StoredEvent[]): Promise<number> {
  if (events.length === 0) return 0
  const statements = insertsOf(kind, events.map(rowOf))
  const [only] = statements
  if (kind === 'mysql' && only && statements.length === 1) {
    // a transaction by itself, without the answers to its beginning and end
    return Number((await db.executeQuery(only)).numAffectedRows ?? 0)
  }
  return db.transaction().execute(async (transaction) => {
    let added = 0n
    for (const statement of statements) {
      const { numAffectedRows } = await transaction.executeQuery(statement)
      added += numAffectedRows ?? 0n
    }
    return Number(added)
  })
}

export async function find(db: Kysely<Tables>, query: EventQuery): Promise<StoredEvent[]> {
  const direction = query.after === undefined ? 'desc' : 'asc'
  const rows = await matching(db, query)
    .selectAll()
    .orderBy('time', direction)
    .orderBy('seq', direction)
    .limit(limitOf(query, 100))
    .execute()
  return rows.map(eventOf)
}

/** The newest buckets, where there are more than the limit (here 10,000 if none is given), oldest first. */
export async function countByTime(
  db: Kysely<Tables>,
  query: EventQuery & { bucketMs: number },
): Promise<{ time: number; kind: string; count: number }[]> {
  const { bucketMs } = query
  if (!Number.isSafeInteger(bucketMs) || bucketMs < 1) throw misuse('bucketMs is a whole number from 1')
  const rows = await matching(db, query)
    .select([sql<number>`time - time % ${bucketMs}`.as('bucket'), 'kind', sql<number>`count(*)`.as('n')])
    .groupBy(['bucket', 'kind'])
    .orderBy('bucket', 'desc')
    .orderBy('kind', 'desc')
    .limit(limitOf(query, MAX_LIMIT))
    .execute()
  return rows.map(({ bucket, kind, n }) => ({ time: Number(bucket), kind, count: Number(n) })).reverse()
}

export async function prune(db: Kysely<Tables>, time: number): Promise<number> {
  if (!Number.isSafeInteger(time)) throw misuse('time is a whole number of milliseconds')
  for (let removed = 0; ; ) {
    const last = await db
      .selectFrom('events')
      .select('time')
      .where('time', '<', time)
      .orderBy('time')
      .offset(PRUNE_ROWS - 1)
      .limit(1)
      .executeTakeFirst()
    const before = last ? last.time + 1 : time
    const { numDeletedRows } = await db
      .transaction()
      .execute((transaction) => transaction.deleteFrom('events').where('time', '<', before).executeTakeFirst())
    removed += Number(numDeletedRows)
    if (!last) return removed
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function matching(db: Kysely<Tables>, query: EventQuery): SelectQueryBuilder<Tables, 'events', object> {
  let select: SelectQueryBuilder<Tables, 'events', object> = db.selectFrom('events')
  const { since, until, after, before } = query
  for (const column of ['kind', 'severity', 'nickname', 'type', 'source'] as const) {
    const value = query[column]
    if (typeof value === 'string') select = select.where(column, '=', value)
    // `in ()` is no SQL; nothing is one of no kinds.
    else if (value) select = value.length ? select.where(column, 'in', value) : select.where('time', '<', 0)
  }
  if (since !== undefined) select = select.where('time', '>=', since)
  if (until !== undefined) select = select.where('time', '<=', until)
  if (after !== undefined) select = beyond(select, '>', after)
  if (before !== undefined) select = beyond(select, '<', before)
  return select
}

/** Written out, as MySQL finds no range in a comparison of pairs. */
function beyond(select: SelectQueryBuilder<Tables, 'events', object>, side: '<' | '>', id: string) {
  const { time, seq } = parseId(id)
  return select
    .where('time', side === '<' ? '<=' : '>=', time)
    .where((or) => or.or([or('time', side, time), or.and([or('time', '=', time), or('seq', side, seq)])]))
}

function limitOf({ limit }: EventQuery, otherwise: number): number {
  if (limit === undefined) return otherwise
  if (!Number.isSafeInteger(limit) || limit < 1) throw misuse('limit is a whole number from 1')
  return Math.min(limit, MAX_LIMIT)
}

const misuse = (reason: string) => new HysasError('USAGE', { reason })
