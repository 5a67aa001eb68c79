import { processCli } from './cli.js'
import { run } from './program.js'
import { watchStreams } from './streams.js'

watchStreams()
const argv = process.argv.slice(2)
void run(argv, processCli(argv)).then((code) => {
  process.exitCode = code
  // Whatever a command may have left open must not keep it from ending; what is written gets a moment to leave.
  setTimeout(() => process.exit(), 1000).unref()
})
