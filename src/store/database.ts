import { AsyncLocalStorage } from 'node:async_hooks'
import type { Database } from '../contract.js'
import { HysasError } from '../errors.js'
import type { Engine } from './engine.js'
import { reasonOf } from './reason.js'
import { isMysqlUrl, shownUrl } from './url.js'

/** A database that can be closed by whoever opened it. */
export interface OpenDatabase extends Database {
  close(): Promise<void>
}

/**
 * Opens a user's own database: `mysql://` or `mariadb://`; `file:`, `sqlite:` or a path (made if it is missing). Values
 * are sent apart from the SQL; of several statements in one text only the first could run, so there is only one.
 * @throws HysasError USER_DATABASE. What a statement throws is the driver's own error.
 */
export async function openDatabase(url: string): Promise<OpenDatabase> {
  try {
    const engine = isMysqlUrl(url)
      ? await (await import('./mysql-engine.js')).openMysqlEngine(url)
      : await (await import('./sqlite-engine.js')).openSqliteEngine(url)
    return databaseOf(engine)
  } catch (error) {
    throw new HysasError('USER_DATABASE', { database: shownUrl(url), reason: reasonOf(error) }, { cause: error })
  }
}

function databaseOf(engine: Engine): OpenDatabase {
  const inside = new AsyncLocalStorage<{ ended: boolean }>()
  const checkOutside = () => {
    // It would wait for the transaction that waits for it.
    if (inside.getStore()?.ended === false) throw new Error('inside a transaction, use what its function is given')
  }
  return {
    kind: engine.kind,
    async query<T>(sql: string, values: readonly unknown[] = []) {
      checkOutside()
      return (await engine.query(sql, values)) as T[]
    },
    async execute(sql, values = []) {
      checkOutside()
      return engine.execute(sql, values)
    },
    async transaction(work) {
      checkOutside()
      const transaction = await engine.begin()
      const state = { ended: false }
      const checkOpen = () => {
        if (state.ended) throw new Error('the transaction has ended')
      }
      const handle = {
        async query<T>(sql: string, values: readonly unknown[] = []) {
          checkOpen()
          return (await transaction.query(sql, values)) as T[]
        },
        async execute(sql: string, values: readonly unknown[] = []) {
          checkOpen()
          return transaction.execute(sql, values)
        },
      }
      try {
        const result = await inside.run(state, () => work(handle))
        state.ended = true
        await transaction.commit()
        return result
      } catch (error) {
        state.ended = true
        await transaction.rollback()
        throw error
      }
    },
    close: () => engine.close(),
  }
}
