import { type Kysely, sql } from 'kysely'
import { HysasError } from '../errors.js'
import type { Kind, Tables } from './schema.js'

/** Whose a store has to be; `claims`: it is taken for that fleet where it is nobody's yet. */
export interface Owner {
  namespace: string
  claims: boolean
}

/**
 * A store belongs to one fleet. Events are known by their ids in its Redis, and by nickname and key: of two fleets, each
 * would leave out what it takes for the other's.
 * @throws HysasError OTHER_FLEETS_STORE
 */
export async function checkOwner(
  db: Kysely<Tables>,
  kind: Kind,
  database: string,
  { namespace, claims }: Owner,
): Promise<void> {
  let theirs = await ownerOf(db)
  if (theirs === undefined && claims) {
    await claim(db, kind, namespace)
    theirs = await ownerOf(db)
  }
  if (theirs === undefined || theirs === namespace) return
  throw new HysasError('OTHER_FLEETS_STORE', { database, theirs, ours: namespace })
}

async function ownerOf(db: Kysely<Tables>): Promise<string | undefined> {
  const { rows } = await sql<{ namespace: string }>`select namespace from hysas_fleet`.execute(db)
  return rows[0]?.namespace
}

/** Of two at once one wins: there is one row. In a transaction, as sqlite.ts says of all that writes. */
async function claim(db: Kysely<Tables>, kind: Kind, namespace: string): Promise<void> {
  const insert = sql.raw(kind === 'mysql' ? 'insert ignore' : 'insert or ignore')
  await db
    .transaction()
    .execute((transaction) =>
      sql`${insert} into hysas_fleet (one, namespace) values (1, ${namespace})`.execute(transaction),
    )
}
