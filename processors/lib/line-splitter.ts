/** One line as it stands in the file. */
export interface RawLine {
  /** Its bytes with the line end; of an overlong line only the first ones, without a line end. */
  readonly bytes: Buffer
  /** How many bytes it takes in the file, line end included. */
  readonly size: number
  /** Longer than the limit, so that `bytes` is not all of it. */
  readonly truncated: boolean
  /** Has its newline. */
  readonly ended: boolean
}

/** Cuts a stream of bytes into lines at each newline. Never holds more than `maxBytes` of an unfinished line. */
export class LineSplitter {
  #held: Buffer[] = []
  #heldBytes = 0
  /** Bytes of the unfinished line, those that were thrown away included. */
  #size = 0

  constructor(private readonly maxBytes: number) {}

  /** Bytes of the last line, whose newline has not come yet. */
  get pending(): number {
    return this.#size
  }

  push(chunk: Buffer): RawLine[] {
    const lines: RawLine[] = []
    let from = 0
    for (;;) {
      const newline = chunk.indexOf(NEWLINE, from)
      if (newline === -1) break
      this.#hold(chunk.subarray(from, newline + 1))
      lines.push(this.#take(true))
      from = newline + 1
    }
    this.#hold(chunk.subarray(from))
    return lines
  }

  /** The unfinished line as it is; undefined where there is none. What comes next is another line. */
  flush(): RawLine | undefined {
    return this.#size === 0 ? undefined : this.#take(false)
  }

  #hold(bytes: Buffer): void {
    const room = this.maxBytes - this.#heldBytes
    const kept = bytes.length > room ? bytes.subarray(0, room) : bytes
    this.#size += bytes.length
    if (kept.length === 0) return
    this.#held.push(kept)
    this.#heldBytes += kept.length
  }

  #take(ended: boolean): RawLine {
    const bytes = this.#held.length === 1 && this.#held[0] ? this.#held[0] : Buffer.concat(this.#held)
    const line = { bytes, size: this.#size, truncated: this.#size > this.#heldBytes, ended }
    this.#held = []
    this.#heldBytes = 0
    this.#size = 0
    return line
  }
}

/** The text of a line without its line end (LF or CRLF). */
export function textOf(line: RawLine, encoding: 'utf8' | 'latin1'): string {
  let end = line.bytes.length
  if (end > 0 && line.bytes[end - 1] === NEWLINE) end--
  if (end > 0 && end < line.bytes.length && line.bytes[end - 1] === CARRIAGE_RETURN) end--
  if (line.truncated && encoding === 'utf8') end = wholeCharacters(line.bytes, end)
  return line.bytes.toString(encoding, 0, end)
}

/** Where a cut inside a UTF-8 character would leave half of it, the end before that character. */
function wholeCharacters(bytes: Buffer, end: number): number {
  for (let back = 1; back <= 4 && back <= end; back++) {
    const byte = bytes[end - back] ?? 0
    if (byte < 0x80) return end
    if (byte >= 0xc0) return byteLengthFrom(byte) > back ? end - back : end
  }
  return end
}

const byteLengthFrom = (lead: number): number => (lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2)

const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d
