import type { Cli } from './cli.js'

/** Shows that something is awaited, on a terminal and only where it takes longer than 300 ms. */
export async function waiting<T>(cli: Cli, text: string, work: Promise<T>): Promise<T> {
  if (cli.json || !cli.stderr.isTTY) return work
  let done = false
  let stop = () => {}
  const timer = setTimeout(async () => {
    const { default: spinner } = await import('yocto-spinner')
    if (done) return
    const shown = spinner({ text, stream: process.stderr, handleSignals: false }).start()
    stop = () => void shown.stop()
  }, 300)
  try {
    return await work
  } finally {
    done = true
    clearTimeout(timer)
    stop()
  }
}
