/**
 * Lines that stay, above one line that changes. Where there is no terminal, the changing line is printed every ten
 * seconds instead.
 */
export function createScreen(out = process.stderr) {
  const live = Boolean(out.isTTY)
  let status = ''
  let printedAt = 0
  const clear = () => live && out.write('\r\x1b[K')
  return {
    line(text) {
      clear()
      out.write(`${text}\n`)
      if (live) out.write(status)
    },
    status(text) {
      status = cut(text, (out.columns ?? 80) - 1)
      if (live) return out.write(`\r\x1b[K${status}`)
      if (Date.now() - printedAt < 10_000) return
      printedAt = Date.now()
      out.write(`${text}\n`)
    },
    close() {
      clear()
    },
  }
}

const ESCAPE = String.fromCharCode(27)
const PIECE = new RegExp(`${ESCAPE}\\[\\d+m|[^${ESCAPE}]`, 'gu')

/** The first `width` characters, colours not counted. */
function cut(text, width) {
  let left = width
  return text.replace(PIECE, (piece) => (piece.startsWith(ESCAPE) || left-- > 0 ? piece : ''))
}
