import { type Context, defineProcessor, type Source } from 'hysas'
import { z } from 'zod'
import { countAlert } from './lib/alert-counters.js'
import { type Finding, GuessBook } from './lib/guess-book.js'
import type { Guesser } from './lib/guess-burst.js'
import { perRun } from './lib/per-run.js'
import { loadState, saveState } from './lib/saved-state.js'
import { alertOf, burstOf } from './lib/ssh-alert.js'
import { SshdReader } from './lib/sshd-reader.js'

const params = z.object({
  source: z
    .string()
    .min(1)
    .default('type:LogFollower')
    .describe(
      'What to hear: a nickname, "type:<Type>" for all workers of a type, or "channel:<name>" for any channel.',
    ),
  threshold: z.number().int().min(1).max(1000).default(5).describe('Wrong passwords within the window for an alert.'),
  windowSeconds: z.number().positive().default(60).describe('Length of the window.'),
  quietSeconds: z.number().positive().default(300).describe('Silence of an address after which its burst is over.'),
  timeFrom: z
    .enum(['log', 'arrival'])
    .default('log')
    .describe('Which time counts: the one in the line, or when the line came.'),
  maxAddresses: z
    .number()
    .int()
    .min(10)
    .max(1_000_000)
    .default(10_000)
    .describe('Addresses kept in memory; beyond that the one heard of longest ago is forgotten.'),
})
type Ctx = Context<z.output<typeof params>>

interface Run {
  reader: SshdReader
  book: GuessBook
  lines: number
  tries: number
  alerts: number
  /** Something is worth keeping. */
  changed: boolean
  /** `performance.now()` of the last time. */
  keptAt: number
}
const runs = perRun<Run>()

/** One line: as LogFollower publishes it, or a bare string. */
const line = z.union([z.string(), z.looseObject({ line: z.string() }).transform((message) => message.line)])

/** Alerts go to the Pub channel (`SshAlert` in lib/ssh-alert.ts) and to the event store; the end of a burst only there. */
export default defineProcessor({
  description: 'Hears the lines of sshd and raises an alert on password guessing: one for each burst of an address.',
  params,
  messages: line,
  subscribe: ({ params: { source } }) => sourceOf(source),

  async start(ctx) {
    const kept = (await loadState(ctx)) as { guessers?: Guesser[] } | undefined
    const guessers = kept?.guessers ?? []
    const book = new GuessBook(ctx.params, guessers)
    const reader = new SshdReader(ctx.params.timeFrom)
    runs.set(ctx, { reader, book, lines: 0, tries: 0, alerts: 0, changed: false, keptAt: 0 })
    ctx.log.info({ source: ctx.params.source, remembered: guessers.length }, 'listening for sshd')
  },

  async receive(ctx, { data }) {
    const run = runs.find(ctx)
    if (!run) return // It has ended: too late for this line.
    run.lines++
    const heard = run.reader.read(data, Date.now())
    if (!heard) return
    run.tries += heard.message.kind === 'failure' ? heard.message.times : 0
    run.changed = true
    for (const finding of run.book.hear(heard)) await tell(ctx, run, finding)
  },

  async produce(ctx) {
    const run = runs.get(ctx)
    while (!ctx.signal.aborted) {
      for (const finding of run.book.sweep(Date.now())) await tell(ctx, run, finding)
      if (run.changed) await keep(ctx, run)
      const { lines, tries, alerts, book } = run
      ctx.progress({ lines, tries, alerts, addresses: book.size, forgotten: book.evicted })
      await ctx.sleep(KEEP_MS)
    }
  },

  operations: {
    top: {
      description: 'The worst addresses: most wrong passwords first.',
      args: z.object({ limit: z.number().int().min(1).max(1000).default(10).describe('How many.') }),
      run: (ctx, { limit }) => runs.get(ctx).book.worst(limit).map(describe),
    },
    forget: {
      description: 'Forgets an address: its next burst raises an alert again.',
      args: z.object({ address: z.string().min(1).describe('As it stands in the alert.') }),
      async run(ctx, { address }) {
        const run = runs.get(ctx)
        const forgotten = run.book.forget(address)
        await keep(ctx, run)
        return { forgotten }
      },
    },
  },

  async beforeTermination(ctx) {
    const run = runs.end(ctx)
    if (run) await keep(ctx, run)
  },
})

function sourceOf(text: string): Source {
  if (text.startsWith('channel:')) return { channel: text.slice('channel:'.length) }
  if (text.startsWith('type:')) return { type: text.slice('type:'.length) }
  return /[.:]/.test(text) ? { channel: text } : { nickname: text }
}

/** Kept soon after an alert, so that even a crash seldom makes the same burst raise a second one. */
async function tell(ctx: Ctx, run: Run, finding: Finding): Promise<void> {
  if (finding.what === 'over') {
    const { kind, source, message, key, ...data } = burstOf(finding)
    await ctx.events.record(kind, { source, message, data, key })
    return
  }
  const alert = alertOf(finding)
  const { kind, source, severity, message, key, ...data } = alert
  run.alerts++
  await ctx.events.record(kind, { source: source.slice(0, 255), severity, message, data, key })
  await ctx.publish(alert)
  await countAlert(ctx, source)
  if (performance.now() - run.keptAt > KEEP_AFTER_ALERT_MS) await keep(ctx, run)
  ctx.log.warn({ source, rule: alert.rule, failures: alert.failures }, message)
}

async function keep(ctx: Ctx, run: Run): Promise<void> {
  run.changed = false
  run.keptAt = performance.now()
  await saveState(ctx, { guessers: run.book.toKeep(MOST_KEPT) })
}

function describe({ source, failures, bursts, alerts, firstSeen, lastSeen, burst }: Guesser) {
  const users = Object.keys(burst.users)
  const times = { firstSeen: new Date(firstSeen).toISOString(), lastSeen: new Date(lastSeen).toISOString() }
  return { source, failures, bursts, alerts, ...times, users }
}

const KEEP_MS = 2000
/** In a storm of alerts, keeping after each would take longer than the alerts. */
const KEEP_AFTER_ALERT_MS = 200
const MOST_KEPT = 1000
