/** Shows on stderr what goes on: on a terminal in one line, elsewhere a line at most every five seconds. */
export function createProgress(out: NodeJS.WriteStream = process.stderr) {
  const live = out.isTTY
  const begun = performance.now()
  let lastMs = Number.NEGATIVE_INFINITY
  const clock = () => `${Math.floor((performance.now() - begun) / 1000)} s`.padStart(6)
  return {
    show(text: string): void {
      if (live) out.write(`\r\x1b[K${`${clock()}  ${text}`.slice(0, (out.columns ?? 80) - 1)}`)
      else if (performance.now() - lastMs > 5000) {
        lastMs = performance.now()
        out.write(`${clock()}  ${text}\n`)
      }
    },
    /** Leaves the line free for other output. */
    clear(): void {
      if (live) out.write('\r\x1b[K')
    },
  }
}
