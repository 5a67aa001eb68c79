import type { EventQuery, EventStore, StoredEvent } from '../store/types.js'
import { CSV_HEAD, csvRows } from './csv.js'

/** What an export begins with, its events, what stands between two pages of them, and what it ends with. */
export interface ExportForm {
  begin: string
  rows(events: readonly StoredEvent[]): string
  between: string
  end: string
}
export type Filter = Omit<EventQuery, 'limit' | 'after' | 'before'>
type Order = 'newest first' | 'oldest first'

/** Rows that are read at first, and at most; and about how many characters they should have together. */
const FIRST_ROWS = 100
const MOST_ROWS = 1000
const CHARACTERS = 500_000

export const FORMS = {
  csv: { begin: CSV_HEAD, rows: csvRows, between: '', end: '' },
  json: { begin: '[', rows: jsonRows, between: ',', end: '\n]\n' },
} as const satisfies Record<string, ExportForm>

/**
 * All events that fit, as one text in pieces. A page of them is read when the one before has been taken, so that memory
 * doesn't grow with their number. The first page is read before this resolves: a store that can not be read, or a query
 * that makes no sense, is an error here. @throws HysasError DATABASE, USAGE; so do the pieces
 */
export async function exportOf(
  store: Pick<EventStore, 'find'>,
  filter: Filter,
  { begin, rows, between, end }: ExportForm,
  order: Order = 'newest first',
): Promise<AsyncGenerator<string, void>> {
  const pages = pagesOf(store, filter, rows, order)
  const first = await pages.next()
  async function* pieces(): AsyncGenerator<string, void> {
    yield begin
    for (let page = first; !page.done; page = await pages.next())
      yield page === first ? page.value : between + page.value
    yield end
  }
  return pieces()
}

/** By id, so that events that are written or removed meanwhile neither repeat nor hide others. */
async function* pagesOf(
  store: Pick<EventStore, 'find'>,
  filter: Filter,
  rows: (events: readonly StoredEvent[]) => string,
  order: Order,
): AsyncGenerator<string, void> {
  let limit = FIRST_ROWS
  let from: Pick<EventQuery, 'after' | 'before'> = order === 'oldest first' ? { after: '0-0' } : {}
  for (;;) {
    const events = await store.find({ ...filter, ...from, limit })
    const last = events.at(-1)
    if (!last) return
    const text = rows(events)
    yield text
    if (events.length < limit) return
    from = order === 'oldest first' ? { after: last.id } : { before: last.id }
    limit = Math.max(1, Math.min(MOST_ROWS, 2 * limit, Math.floor((limit * CHARACTERS) / text.length)))
  }
}

function jsonRows(events: readonly StoredEvent[]): string {
  return events.map((event) => `\n${JSON.stringify(event)}`).join(',')
}
