import { processCli } from './cli.js'
import { run } from './program.js'

// The reader of a pipe may leave early (`hysas list | head -1`): that is no failure.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    if (error.code === 'EIO') return // the terminal was closed: a signal tells that, and the program ends in order
    throw error
  })

const argv = process.argv.slice(2)
void run(argv, processCli(argv)).then((code) => {
  process.exitCode = code
  // Whatever a command may have left open must not keep it from ending; what is written gets a moment to leave.
  setTimeout(() => process.exit(), 1000).unref()
})
