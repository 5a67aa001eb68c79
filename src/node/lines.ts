import type { Readable } from 'node:stream'

/** Longest line that is taken, characters: above what a child writes of its log at once, so that its records stay whole. */
export const LONGEST_LINE = 300_000

export interface Lines {
  /** Takes no more; what has come without a line break is the last line. */
  end(): void
}

/**
 * Reads UTF-8 text line by line. Of a line that is too long the beginning is given as soon as it is there, marked by `…`,
 * and the rest up to its end is dropped: so much is held at most, however long it goes on.
 */
export function readLines(from: Readable, take: (line: string) => void): Lines {
  let partial = ''
  let dropping = false
  let wasReturn = false
  let over = false

  const onText = (chunk: string): void => {
    const text = wasReturn && chunk.startsWith('\n') ? chunk.slice(1) : chunk
    wasReturn = chunk.endsWith('\r')
    const [first = '', ...more] = text.split(/\r\n|\n|\r/)
    add(first)
    for (const next of more) {
      finish()
      add(next)
    }
  }

  const add = (text: string): void => {
    if (dropping) return
    partial += text
    if (partial.length <= LONGEST_LINE) return
    const line = partial.slice(0, LONGEST_LINE)
    partial = ''
    dropping = true
    take(`${line}…`)
  }

  const finish = (): void => {
    const line = partial
    const isTaken = dropping
    partial = ''
    dropping = false
    if (!isTaken) take(line)
  }

  const end = (): void => {
    if (over) return
    over = true
    from.off('data', onText)
    if (partial !== '') finish()
  }

  from.on('error', () => {}) // the process that writes is ending
  from.setEncoding('utf8').on('data', onText)
  from.once('end', end)
  return {
    end() {
      end()
      from.destroy()
    },
  }
}
