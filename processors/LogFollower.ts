import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Context, defineProcessor } from 'hysas'
import { z } from 'zod'
import { type RawLine, textOf } from './lib/line-splitter.js'
import { LogFollow } from './lib/log-follow.js'
import type { TailPosition } from './lib/log-tail.js'
import { perRun } from './lib/per-run.js'
import { loadState, saveState } from './lib/saved-state.js'

const params = z.object({
  file: z
    .string()
    .min(1)
    .refine(mayBeFile, 'is there, but it is no ordinary file')
    .describe("Path of the log; a relative one begins at the node's working folder."),
  from: z
    .enum(['end', 'start'])
    .default('end')
    .describe(
      'Where the very first run begins in a file that is there already; a file that comes later is read whole.',
    ),
  resume: z.boolean().default(true).describe('Go on where the last run of this nickname ended.'),
  encoding: z.enum(['utf8', 'latin1']).default('utf8').describe('How the bytes of a line become text.'),
  pollMs: z.number().int().min(10).max(60_000).default(200).describe('Milliseconds between two looks at the file.'),
  lingerMs: z
    .number()
    .int()
    .min(0)
    .default(5000)
    .describe('Milliseconds for which a rotated file is still read, since its writer may let go of it late.'),
  unfinishedMs: z
    .number()
    .int()
    .min(0)
    .default(3000)
    .describe('Milliseconds after which a last line without a newline is published as it is; 0: never.'),
  maxLineBytes: z.number().int().min(64).max(131_072).default(65_536).describe('A longer line is cut to this length.'),
})
type Ctx = Context<z.output<typeof params>>

/** What stands on the Pub channel: one message a line. */
export interface LogLine {
  /** Without its line end. */
  line: string
  /** Absolute path of the log, as it is followed. */
  file: string
  /** Unix ms at which it was read. */
  at: number
  /** Only where the line was longer than `maxLineBytes`. */
  truncated?: true
}

/** What one run knows. */
interface Run {
  file: string
  follow: LogFollow
  lines: number
  truncated: number
  /** Keeps the position and shows the progress, now and then. */
  note(): Promise<void>
  /** JSON of the positions that were kept last. */
  kept: string
}
const runs = perRun<Run>()

/**
 * A run that is stopped, restarted or moved goes on at the next byte. After a crash the lines of its last moments
 * (`KEEP_MS`) may come again; none is left out.
 */
export default defineProcessor({
  description: 'Follows a log file over rotation, truncation and restarts, and publishes each line.',
  params,

  start(ctx) {
    const file = resolve(ctx.params.file)
    const { from, maxLineBytes, lingerMs, unfinishedMs } = ctx.params
    const deliver = (lines: readonly RawLine[]) => publishAll(ctx, run, lines)
    const follow = new LogFollow({ file, from, maxLineBytes, lingerMs, unfinishedMs, deliver, signal: ctx.signal })
    const run: Run = { file, follow, lines: 0, truncated: 0, kept: '', note: noting(ctx, () => run) }
    runs.set(ctx, run)
  },

  async produce(ctx) {
    const run = runs.get(ctx)
    try {
      await begin(ctx, run)
      const tell = telling(ctx, run)
      while (!ctx.signal.aborted) {
        await run.follow.poll()
        tell()
        await run.note()
        await ctx.sleep(ctx.params.pollMs)
      }
    } finally {
      await keepPositions(ctx, run).catch((error: unknown) => ctx.log.warn({ err: error }, 'position not kept'))
      await run.follow.close()
      runs.end(ctx)
    }
  },

  operations: {
    position: {
      description: 'Where it stands in the file.',
      run: (ctx) => describePosition(runs.get(ctx)),
    },
  },
})

/** Looked at with the parameters, since these are refused for good, while an error in `start` is tried again and again. */
function mayBeFile(file: string): boolean {
  try {
    return statSync(file).isFile()
  } catch {
    return true // Not there yet, or not to be looked at yet: it is waited for.
  }
}

/** All at once and awaited together: the window that the follower gives bounds what is on its way. */
async function publishAll(ctx: Ctx, run: Run, lines: readonly RawLine[]): Promise<void> {
  await run.note()
  const at = Date.now()
  const published = lines.map((line) => {
    const message: LogLine = { line: textOf(line, ctx.params.encoding), file: run.file, at }
    if (line.truncated) message.truncated = true
    return ctx.publish(message)
  })
  await Promise.all(published)
  run.lines += lines.length
  run.truncated += lines.filter(({ truncated }) => truncated).length
}

async function begin(ctx: Ctx, { file, follow }: Run): Promise<void> {
  const kept = ctx.params.resume ? ((await loadState(ctx)) as Kept | undefined) : undefined
  if (kept?.file !== file) ctx.log.info({ file, from: ctx.params.from }, 'following')
  else if (await follow.resume(kept.positions)) ctx.log.info({ file, offset: follow.current?.offset }, 'following on')
  else ctx.log.warn({ file }, 'what was read last is gone; reading the new file from its start')
}

/** Logs what changed since the last look. */
function telling(ctx: Ctx, { file, follow }: Run): () => void {
  let problem = ''
  let rotations = 0
  return () => {
    if (follow.problem && !problem) ctx.log.warn({ file, reason: follow.problem }, 'can not be read; waiting for it')
    if (!follow.problem && problem) ctx.log.info({ file }, 'can be read')
    if (follow.rotations !== rotations) ctx.log.info({ file }, 'was rotated or emptied; reading the new one')
    problem = follow.problem
    rotations = follow.rotations
  }
}

function noting(ctx: Ctx, runOf: () => Run): () => Promise<void> {
  const keep = atMostEvery(KEEP_MS, () => keepPositions(ctx, runOf()))
  const show = atMostEvery(SHOW_MS, async () => ctx.progress(await describePosition(runOf())))
  return async () => {
    await keep()
    await show()
  }
}

function atMostEvery(ms: number, work: () => Promise<void>): () => Promise<void> {
  let last = Number.NEGATIVE_INFINITY
  return async () => {
    if (performance.now() - last < ms) return
    last = performance.now()
    await work()
  }
}

interface Kept {
  file: string
  positions: TailPosition[]
}

async function keepPositions(ctx: Ctx, run: Run): Promise<void> {
  const kept: Kept = { file: run.file, positions: run.follow.positions }
  const text = JSON.stringify(kept)
  if (text === run.kept) return
  await saveState(ctx, kept)
  run.kept = text
}

async function describePosition({ file, follow, lines, truncated }: Run) {
  const size = (await follow.current?.size()) ?? 0
  const offset = follow.current?.offset ?? 0
  const state = follow.problem ? 'waiting' : 'following'
  const behind = Math.max(0, size - offset)
  return { file, state, problem: follow.problem, offset, size, behind, lines, truncated, rotations: follow.rotations }
}

/** Of the position in Redis, where it changed. */
const KEEP_MS = 200
/** Of the progress. */
const SHOW_MS = 1000
