import type { BigIntStats } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { LineSplitter, type RawLine } from './line-splitter.js'
import { bytesBefore, bytesOfMark, lastLineEnd, MARK_BYTES, type Mark, markOf } from './log-mark.js'

/** Where a reader stands in one file: what is kept over a restart. */
export interface TailPosition {
  /** `<device>:<inode>`. */
  id: string
  /** Byte after the last line that was delivered. */
  offset: number
  mark: Mark
}

/**
 * Reads the lines of one open file. It holds the file, not its name: a rename or removal changes nothing, and while it
 * is open no other file can get its inode. A line counts as delivered only with `commit`.
 */
export class LogTail {
  #splitter: LineSplitter
  #read: number
  /** The last bytes that were delivered. */
  #recent: Buffer = Buffer.alloc(0)
  /** The last bytes that were read: they may be of an unfinished line. */
  #before: Buffer = Buffer.alloc(0)
  #wasEmptied = false
  #grewAt = performance.now()

  private constructor(
    private readonly handle: FileHandle,
    readonly id: string,
    private committed: number,
    private readonly maxLineBytes: number,
  ) {
    this.#read = committed
    this.#splitter = new LineSplitter(maxLineBytes)
  }

  /** From the start of the file, or from the end of its last whole line. */
  static async open(path: string, from: 'start' | 'end', maxLineBytes: number): Promise<LogTail> {
    return opened(path, async (handle, stats) => {
      const offset = from === 'start' ? 0 : await lastLineEnd(handle, Number(stats.size), maxLineBytes)
      const tail = new LogTail(handle, idOf(stats), offset, maxLineBytes)
      tail.#recent = await bytesBefore(handle, offset)
      tail.#before = tail.#recent
      return tail
    })
  }

  /** From a kept position; undefined where the file is not the one that the position is about. */
  static async openAt(path: string, position: TailPosition, maxLineBytes: number): Promise<LogTail | undefined> {
    return opened(path, async (handle, stats) => {
      if (position.mark.length === 0 && position.id !== idOf(stats)) return undefined
      const recent = await bytesOfMark(handle, position.offset, position.mark)
      if (!recent) return undefined
      const tail = new LogTail(handle, idOf(stats), position.offset, maxLineBytes)
      tail.#recent = recent
      tail.#before = recent
      return tail
    })
  }

  get offset(): number {
    return this.committed
  }

  get position(): TailPosition {
    return { id: this.id, offset: this.committed, mark: markOf(this.#recent) }
  }

  /**
   * Lines of the next piece of the file; undefined at its end. A piece without a newline gives an empty list. What was
   * read last is read once more with it, since the file may be emptied and filled again at any moment.
   */
  async read(): Promise<RawLine[] | undefined> {
    const overlap = this.#before.length
    const chunk = Buffer.allocUnsafe(overlap + CHUNK_BYTES)
    const { bytesRead } = await this.handle.read(chunk, 0, chunk.length, this.#read - overlap)
    const got = chunk.subarray(0, bytesRead)
    this.#wasEmptied ||= !got.subarray(0, overlap).equals(this.#before)
    if (this.#wasEmptied || bytesRead === overlap) return undefined
    this.#read += bytesRead - overlap
    this.#before = Buffer.from(got.subarray(-MARK_BYTES))
    this.#grewAt = performance.now()
    return this.#splitter.push(got.subarray(overlap))
  }

  /** The last `read` found that the file was emptied, perhaps filled again: there is nothing to read before `rewind`. */
  get wasEmptied(): boolean {
    return this.#wasEmptied
  }

  /** Milliseconds for which nothing was added to an unfinished last line; undefined where there is none. */
  get unfinishedFor(): number | undefined {
    return this.#splitter.pending > 0 ? performance.now() - this.#grewAt : undefined
  }

  /** The unfinished last line as it is. What is added to it later is a line of its own. */
  rest(): RawLine | undefined {
    return this.#splitter.flush()
  }

  /** Is this the line end, and no more, of a line that was delivered without it? */
  isOnlyLineEnd(line: RawLine): boolean {
    const last = this.#recent.at(-1)
    return last !== undefined && last !== NEWLINE && /^\r?\n$/.test(line.bytes.toString('latin1'))
  }

  /** These lines, the next ones in the file, are delivered. */
  commit(lines: readonly RawLine[]): void {
    for (const line of lines) this.committed += line.size
    this.#recent = lastBytes(this.#recent, lines)
  }

  async size(): Promise<number> {
    return (await this.handle.stat()).size
  }

  /** After a truncation: from the first byte. */
  rewind(): void {
    this.#splitter = new LineSplitter(this.maxLineBytes)
    this.#read = 0
    this.committed = 0
    this.#recent = Buffer.alloc(0)
    this.#before = Buffer.alloc(0)
    this.#wasEmptied = false
  }

  close(): Promise<void> {
    return this.handle.close()
  }
}

export const idOf = (stats: BigIntStats): string => `${stats.dev}:${stats.ino}`

async function opened<T>(path: string, make: (handle: FileHandle, stats: BigIntStats) => Promise<T>): Promise<T> {
  const handle = await open(path, 'r')
  let made: T | undefined
  try {
    made = await make(handle, await handle.stat({ bigint: true }))
    return made
  } finally {
    if (made === undefined) await handle.close()
  }
}

/** The bytes before the new position, as far back as they are known without a gap. */
function lastBytes(before: Buffer, lines: readonly RawLine[]): Buffer {
  const parts: Buffer[] = []
  let length = 0
  for (let i = lines.length - 1; i >= 0 && length < MARK_BYTES; i--) {
    const line = lines[i]
    if (!line) continue
    // Of an overlong line only the beginning is known, and that its last byte is the newline.
    if (line.truncated) return Buffer.concat([Buffer.from(line.ended ? '\n' : ''), ...parts]).subarray(-MARK_BYTES)
    parts.unshift(line.bytes)
    length += line.bytes.length
  }
  return Buffer.concat([before, ...parts]).subarray(-MARK_BYTES)
}

const NEWLINE = 0x0a
const CHUNK_BYTES = 65_536
