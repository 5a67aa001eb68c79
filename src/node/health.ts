import type { Redis } from 'ioredis'
import { messageOf } from '../errors.js'
import type { Logger } from '../log.js'
import { readProblems } from '../redis/health.js'
import { isRefusedForNow, whileRefused } from '../redis/refusals.js'
import type { StoredEvent } from '../store/types.js'

export interface HealthOptions {
  redis: Redis
  log: Logger
  record(event: Partial<StoredEvent> & { kind: string }): Promise<unknown>
}

export type Health = ReturnType<typeof createHealth>

/** What the sentence of an event store that is away begins with. */
export const STORE_PROBLEM = 'The event store can not be written'
/** A Redis that is silent for so long is told, ms. */
const SILENT_MS = 3000

/**
 * What is wrong around a node: with its Redis, and with the event store. Each problem is told once when it comes and
 * once when it is gone, in the log and as an event (as soon as Redis takes one); `problems` has what is wrong now.
 */
export function createHealth({ redis, log, record }: HealthOptions) {
  const present = new Map<string, { sinceMs: number; at: number }>()
  /** By who has seen them: what one sees no more, another may still see. */
  const seen = new Map<string, readonly string[]>()
  let refusing = false
  let heardMs: number | undefined
  let asking = false
  let recording: Promise<unknown> = Promise.resolve()

  const isSilent = (): boolean => performance.now() - (heardMs ?? performance.now()) > SILENT_MS
  const problems = (): string[] => [...new Set([...seen.values()].flat())]

  function see(by: string, found: readonly string[]): void {
    seen.set(by, found)
    const now = problems()
    for (const problem of now) {
      if (present.has(problem)) continue
      present.set(problem, { sinceMs: performance.now(), at: Date.now() / 1000 })
      log.error({ problem }, problem)
      keep({ kind: 'problem', severity: 'critical', message: problem })
    }
    for (const [problem, { sinceMs }] of present) {
      if (now.includes(problem)) continue
      present.delete(problem)
      const message = `Over after ${((performance.now() - sinceMs) / 1000).toFixed(1)} s: ${problem}`
      log.info({ problem }, message)
      keep({ kind: 'problem_over', severity: 'warning', message })
    }
  }

  /** In order, and as soon as Redis takes it. */
  function keep(event: Partial<StoredEvent> & { kind: string }): void {
    recording = recording
      .then(() =>
        whileRefused(
          () => record(event),
          () => false,
        ),
      )
      .catch((error: unknown) => log.debug({ err: messageOf(error) }, 'a problem was not recorded')) // the node ends
  }

  return {
    problems,

    /** By problem, since when, Unix seconds. */
    since: (): Record<string, number> => Object.fromEntries([...present].map(([problem, { at }]) => [problem, at])),

    /** Does Redis take what this node writes? */
    isWritable: (): boolean => !refusing && !isSilent(),

    isAnswered: (): boolean => !isSilent(),

    /** How the node's own writing went: nothing tells better whether Redis can be written. */
    async wrote(writing: Promise<unknown>): Promise<void> {
      try {
        await writing
        refusing = false
        see('writing', [])
      } catch (error) {
        // else it is away, or the node ends
        if (isRefusedForNow(error)) {
          refusing = true
          see('writing', [`Redis refuses to write: ${shorter(messageOf(error))}`])
        }
        throw error
      }
    },

    /** Of the event store: why it can not be written, or empty. */
    stored(reason: string): void {
      // what Redis refuses to the writer is no fault of the database
      see(
        'store',
        reason && !isRefusedForNow(reason)
          ? [`${STORE_PROBLEM}: ${reason.replace(/\.$/, '')}. Events wait in Redis.`]
          : [],
      )
    },

    /** To be called every second; never waits. */
    look(): void {
      heardMs ??= performance.now()
      if (!asking) {
        asking = true
        readProblems(redis)
          .then(
            (found) => {
              heardMs = performance.now()
              see('redis', found)
            },
            () => {}, // refused while it loads its data, or the node ends
          )
          .finally(() => {
            asking = false
          })
      }
      see('silence', isSilent() ? ['Redis does not answer.'] : [])
    },
  }
}

/** Redis tells the script's hash and line as well, which differ from time to time. */
const shorter = (text: string): string => text.replace(/ script: [0-9a-f]{40}.*$/s, '').slice(0, 300)
