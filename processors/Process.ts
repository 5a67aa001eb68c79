import { type Context, defineProcessor } from 'hysas'
import { z } from 'zod'
import { mapRow } from './lib/process-mapping.js'
import { type NumberedRow, Settled } from './lib/process-settled.js'
import { IDENTIFIER, type NumberedEvent, ProcessStore } from './lib/process-store.js'
import { retrying } from './lib/retry.js'

const identifier = z.string().regex(IDENTIFIER, 'letters, digits and "_", perhaps with a schema and a dot before it')
const params = z.object({
  table: identifier.default('raw_events').describe('Table of the database "raw" that the rows are taken from.'),
  idColumn: identifier.default('id').describe('Its column of rising whole numbers.'),
  eventTable: identifier.default('events').describe('Table of the database "event"; made where it is missing.'),
  batch: z.number().int().min(1).max(5000).default(500).describe('Most rows taken at a time.'),
  everyMs: z
    .number()
    .int()
    .min(10)
    .default(1000)
    .describe('Milliseconds between two looks when there is nothing to do.'),
  settleMs: z
    .number()
    .int()
    .min(0)
    .default(2000)
    .describe('Milliseconds for which a gap in the ids is waited for: a slow transaction may fill it.'),
})
type Ctx = Context<z.output<typeof params>>

interface Work {
  store: ProcessStore | undefined
  settled: Settled
  rows: number
  events: number
  lastId: number
  unmapped: number
}

/**
 * Rows become events by `mapRow` in lib/process-mapping.ts. How far it has come stands in the event database and is
 * changed in the transaction that writes the events, so that each row is taken exactly once, whatever crashes.
 */
export default defineProcessor({
  description: 'Takes rows from the database "raw", makes events of them and writes these to the database "event".',
  params,

  async produce(ctx) {
    const settled = new Settled(ctx.params.settleMs)
    const work: Work = { store: undefined, settled, rows: 0, events: 0, lastId: 0, unmapped: 0 }
    const attempt = retrying(ctx, 'taking rows')
    while (!ctx.signal.aborted) {
      let taken = 0
      const { waitMs, failures, problem } = await attempt(async () => {
        taken = await takeBatch(ctx, work)
      })
      const { rows, events, lastId, unmapped } = work
      const state = problem ? { state: 'waiting', problem, failures } : { state: 'running' }
      ctx.progress({ ...state, rows, events, lastId, unmapped })
      if (waitMs > 0) await ctx.sleep(waitMs)
      else if (taken === 0) await ctx.sleep(ctx.params.everyMs)
    }
  },
})

/** One batch. Returns how many rows were taken. */
async function takeBatch(ctx: Ctx, work: Work): Promise<number> {
  work.store ??= await openStore(ctx)
  const lastId = await work.store.lastId()
  work.lastId = lastId
  const { rows, highest } = await work.store.rowsAfter(lastId, ctx.params.batch)
  const ready = work.settled.take(rows, lastId, highest, performance.now())
  const end = ready.at(-1)?.id
  if (end === undefined) return 0
  const { events, unmapped } = mapAll(ctx, ready, work.unmapped)
  if (!(await work.store.write(events, lastId, end))) return 0
  work.lastId = end
  work.rows += ready.length
  work.events += events.length
  work.unmapped += unmapped
  return ready.length
}

async function openStore(ctx: Ctx): Promise<ProcessStore> {
  const store = new ProcessStore(await ctx.database('raw'), await ctx.database('event'), ctx.params)
  await store.prepare()
  return store
}

/** One bad row must not stop all that come after it. */
function mapAll(ctx: Ctx, rows: readonly NumberedRow[], before: number): { events: NumberedEvent[]; unmapped: number } {
  let unmapped = 0
  const events = rows.flatMap(({ id, row }) => {
    try {
      const mapped = [mapRow(row) ?? []].flat()
      // the database would refuse the whole batch for it, and for ever
      const timeless = mapped.find(({ time }) => !Number.isSafeInteger(Math.trunc(time)))
      if (timeless) throw new Error(`the time of its event, ${timeless.time}, is no time in milliseconds`)
      return mapped.map((event, n) => ({ ...event, rawId: id, n }))
    } catch (error) {
      unmapped++
      if (before + unmapped <= MOST_WARNINGS) ctx.log.warn({ err: error, id }, 'this row has no meaning; left out')
      return []
    }
  })
  return { events, unmapped }
}

const MOST_WARNINGS = 20
