import { join } from 'node:path'
import { runCached } from '../code-cache.js'
import { CHILD_COMMAND, type ToChild } from '../protocol.js'

/** File name of the program of a child (program.ts), beside this one; put in by the build. */
declare const HYSAS_PROGRAM: string

/** A run has begun by then, so that what it takes is compiled. */
const WARM_MS = 2000

// Node compiles a file anew in each process, and ours takes longer than Node's own start.
runCached(join(__dirname, HYSAS_PROGRAM), {
  use: 'child',
  whenWarm(keep) {
    const onMessage = (message: ToChild) => {
      if ('hysas' in message ? message.hysas !== 'many' : message.cmd !== CHILD_COMMAND.start) return
      process.off('message', onMessage)
      setTimeout(keep, WARM_MS).unref()
    }
    process.on('message', onMessage)
  },
  load: (url) => import(url),
})
