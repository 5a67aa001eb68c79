import { stat } from 'node:fs/promises'
import type { RawLine } from './line-splitter.js'
import { rotatedFiles } from './log-rotated.js'
import { idOf, LogTail, type TailPosition } from './log-tail.js'

export interface FollowOptions {
  /** Absolute. */
  file: string
  /** Where to begin in a file that is there at the first look; one that comes later is read from its start. */
  from: 'start' | 'end'
  maxLineBytes: number
  /** How long a rotated file is still read, since its writer may be slow to let go of it. */
  lingerMs: number
  /** An unfinished last line that has not grown for so long is delivered as it is; 0: never. */
  unfinishedMs: number
  /** What to do with lines, in order. They count as delivered when it resolves. */
  deliver(lines: readonly RawLine[]): Promise<void>
  signal: AbortSignal
}

/**
 * Follows a log by its name over rename-and-create, copy-and-truncate and times without the file. Older files that are
 * still being read stand before the current one in `tails`.
 */
export class LogFollow {
  #tails: { tail: LogTail; oldSince: number | undefined }[] = []
  #looked = false
  /** Why the file can't be read at present; empty while it is read. */
  problem = ''
  /** Times that the log was rotated or emptied under our eyes. */
  rotations = 0

  constructor(private readonly options: FollowOptions) {}

  /** The current file, undefined before there was one. */
  get current(): LogTail | undefined {
    return this.#tails.at(-1)?.tail
  }

  /** What to keep for `resume`, oldest file first. */
  get positions(): TailPosition[] {
    return this.#tails.map(({ tail }) => tail.position)
  }

  /**
   * Goes on where `positions` were kept: in the same file, else in what became of it, with all that came after it.
   * Returns whether anything of it was found; if not, the log is new to us and is read from its start.
   */
  async resume(positions: readonly TailPosition[]): Promise<boolean> {
    this.#looked = true
    const last = positions.at(-1)
    const older = await rotatedFiles(this.options.file).catch(() => [])
    for (const position of positions.slice(0, -1)) await this.#openOld(position, older)
    if (!last) return false
    const same = await this.#openQuietly(() => LogTail.openAt(this.options.file, last, this.options.maxLineBytes))
    if (same) this.#tails.push({ tail: same, oldSince: undefined })
    else await this.#openOldAndLater(last, older)
    return this.#tails.length > 0
  }

  /** Delivers all that is there by now. */
  async poll(): Promise<void> {
    await this.#look()
    for (const entry of [...this.#tails]) {
      await this.#drain(entry.tail)
      await this.#deliverUnfinished(entry.tail)
      const isOver = entry.oldSince !== undefined && performance.now() - entry.oldSince >= this.options.lingerMs
      if (isOver && !this.options.signal.aborted) await this.#finish(entry.tail)
    }
  }

  async close(): Promise<void> {
    for (const { tail } of this.#tails.splice(0)) await tail.close()
  }

  /** Compares what the name stands for now with what is read. */
  async #look(): Promise<void> {
    const { file, maxLineBytes } = this.options
    const first = !this.#looked
    this.#looked = true
    const found = await this.#openQuietly(async () => {
      const stats = await stat(file, { bigint: true })
      if (stats.isFile()) return { id: idOf(stats) }
      throw new Error(`${file} is not a file`)
    })
    if (!found) return
    const active = this.#tails.findLast(({ oldSince }) => oldSince === undefined)
    if (active?.tail.id === found.id) {
      if (active.tail.wasEmptied) await this.#truncated(active.tail)
      return
    }
    if (active) {
      this.rotations++
      active.oldSince = performance.now()
      await this.#drain(active.tail)
      await this.#openLaterThan(active.tail.id, await rotatedFiles(file).catch(() => []))
    }
    const from = first ? this.options.from : 'start'
    const next = await this.#openQuietly(() => LogTail.open(file, from, maxLineBytes))
    if (next) this.#tails.push({ tail: next, oldSince: undefined })
  }

  /** Emptied: what we had not read yet may be in the copy that was made before. */
  async #truncated(tail: LogTail): Promise<void> {
    this.rotations++
    const position = tail.position
    tail.rewind()
    if (position.offset > 0) await this.#openOld(position, await rotatedFiles(this.options.file).catch(() => []), tail)
  }

  async #openOldAndLater(position: TailPosition, older: readonly Rotated[]): Promise<void> {
    const id = await this.#openOld(position, older)
    if (id !== undefined) await this.#openLaterThan(id, older)
  }

  /** Opens the rotated file that the position is about. Returns the id of that file. */
  async #openOld(position: TailPosition, older: readonly Rotated[], before?: LogTail): Promise<string | undefined> {
    const likeliest = [...older].sort((a, b) => Number(b.id === position.id) - Number(a.id === position.id))
    for (const { path, id } of likeliest) {
      const tail = await this.#openQuietly(() => LogTail.openAt(path, position, this.options.maxLineBytes))
      if (!tail) continue
      const index = before ? this.#tails.findIndex((entry) => entry.tail === before) : this.#tails.length
      this.#tails.splice(index, 0, { tail, oldSince: performance.now() })
      return id
    }
    return undefined
  }

  /** Opens the rotated files that were begun after that one: the log was rotated more than once while nobody looked. */
  async #openLaterThan(id: string, older: readonly Rotated[]): Promise<void> {
    const index = older.findIndex((entry) => entry.id === id)
    if (index === -1) return
    for (const { path } of older.slice(index + 1)) {
      const tail = await this.#openQuietly(() => LogTail.open(path, 'start', this.options.maxLineBytes))
      if (tail) this.#tails.push({ tail, oldSince: performance.now() })
    }
  }

  async #drain(tail: LogTail): Promise<void> {
    while (!this.options.signal.aborted) {
      const lines = await tail.read()
      if (!lines) return
      await this.#deliver(tail, lines)
    }
  }

  /** A writer that stops in the middle of a line has most often finished it, without a newline. */
  async #deliverUnfinished(tail: LogTail): Promise<void> {
    const { unfinishedMs, signal } = this.options
    if (unfinishedMs === 0 || signal.aborted || (tail.unfinishedFor ?? 0) < unfinishedMs) return
    const rest = tail.rest()
    if (rest) await this.#deliver(tail, [rest])
  }

  /** The last line of an old file may lack its newline for good. */
  async #finish(tail: LogTail): Promise<void> {
    const rest = tail.rest()
    if (rest) await this.#deliver(tail, [rest])
    this.#tails = this.#tails.filter((entry) => entry.tail !== tail)
    await tail.close()
  }

  async #deliver(tail: LogTail, lines: readonly RawLine[]): Promise<void> {
    const [first] = lines
    const begin = first && tail.isOnlyLineEnd(first) ? 1 : 0
    if (begin === 1) tail.commit(lines.slice(0, 1))
    for (let i = begin; i < lines.length && !this.options.signal.aborted; i += WINDOW) {
      const some = lines.slice(i, i + WINDOW)
      await this.options.deliver(some)
      tail.commit(some)
    }
  }

  /** A file that is not there, or may not be read, is waited for; the reason is kept. */
  async #openQuietly<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      const done = await work()
      this.problem = ''
      return done
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error)
      return undefined
    }
  }
}

type Rotated = Awaited<ReturnType<typeof rotatedFiles>>[number]

/** Lines on their way at the same time. */
const WINDOW = 500
