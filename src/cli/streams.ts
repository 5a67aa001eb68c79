/** Ended by what can not be written: the program only prints. False while it is a node, which is more than its output. */
let printsOnly = true

/**
 * Hears what can not be written to standard output and error. The reader of a pipe may leave early
 * (`hysas list | head -1`): a command that only prints ends then, and that is no failure.
 */
export function watchStreams(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (!printsOnly) return
      if (error.code === 'EPIPE') process.exit(0)
      if (error.code === 'EIO') return // the terminal was closed: a signal tells that, and the program ends in order
      throw error
    })
  }
}

/**
 * From now on what can not be written is lost, and nothing else: for a node, whose workers need neither the `tee` that
 * a Ctrl-C has ended with it, nor room on the disk of its log.
 */
export function outliveStreams(): void {
  printsOnly = false
}
