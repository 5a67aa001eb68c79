import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { defineProcessor } from 'hysas'
import { z } from 'zod'

const params = z.object({
  programs: z
    .array(z.string().min(1))
    .min(1)
    .default(['sshd', 'sshd-session'])
    .describe('Whose lines are wanted, as `journalctl --identifier` takes them.'),
})

/** Runs a program for as long as the worker lives, and publishes its lines as LogFollower does those of a file. */
export default defineProcessor({
  description: "Follows the system's journal and publishes each line from now on.",
  params,

  async produce(ctx) {
    const chosen = ctx.params.programs.map((program) => `--identifier=${program}`)
    const journal = spawn('journalctl', ['--follow', '--lines=0', '--output=short-iso', ...chosen])
    const lines = createInterface({ input: journal.stdout })
    const ended = new Promise<string>((resolve) => {
      journal.once('exit', (code, signal) => resolve(`it ended with ${signal ?? code}`))
      journal.once('error', ({ message }) => {
        lines.close() // it never began
        resolve(message)
      })
    })
    createInterface({ input: journal.stderr }).on('line', (line) => ctx.log.warn(`journalctl: ${line}`))
    ctx.signal.addEventListener('abort', () => journal.kill())
    try {
      for await (const line of lines) await ctx.publish({ line, file: 'journal', at: Date.now() })
    } finally {
      journal.kill()
    }
    // what is thrown here is a crash, and the worker comes back
    if (!ctx.signal.aborted) throw new Error(`journalctl: ${await ended}`)
  },
})
