import { open, stat } from 'node:fs/promises'
import { HysasError } from '../errors.js'
import type { Harness } from '../testing.js'
import { type Cli, Failures } from './cli.js'
import { plural } from './format.js'
import { misuse, note, printError } from './print.js'

/** @throws HysasError USAGE where the file of an input is none; `-` is standard input */
export async function checkInput(input: string): Promise<void> {
  if (input === '-') return
  const stats = await stat(input).catch(noInput(input))
  if (stats.isDirectory()) misuse(`the input ${input} is a folder`)
}

export interface Feeding {
  /** A file, or `-`. */
  input: string
  type: string
  signal: AbortSignal
  /** What the processor threw, as it is to be told. */
  told: (error: unknown) => unknown
}

/**
 * Each line of the input is one message, as if it came over a channel that the processor hears.
 * @throws Failures after failed messages; HysasError USAGE where the input can not be read, or nothing hears it
 */
export async function feed(cli: Cli, harness: Harness, { input, type, signal, told }: Feeding): Promise<void> {
  const { createInterface } = await import('node:readline')
  const source = input === '-' ? process.stdin : (await open(input).catch(noInput(input))).createReadStream()
  const lines = createInterface({ input: source, crlfDelay: Number.POSITIVE_INFINITY })
  let unread: unknown
  source.on('error', (error: Error) => {
    unread = error
    lines.close()
  })
  const close = () => lines.close()
  if (signal.aborted) close()
  signal.addEventListener('abort', close, { once: true })
  let fed = 0
  let failed = 0
  try {
    for await (const line of lines) {
      if (signal.aborted) break
      fed++
      await harness.send(line).catch((error: unknown) => {
        if (isUnheard(error)) misuse(`nothing in ${type} hears the input: it has no receive, and subscribes to nothing`)
        failed++
        printError(cli, told(error))
      })
    }
  } finally {
    source.destroy()
  }
  if (unread !== undefined) noInput(input)(unread)
  note(cli, `${plural(fed, 'line')} fed, ${failed} failed, ${plural(harness.published.length, 'message')} published`)
  if (failed) throw new Failures([])
}

const isUnheard = (error: unknown): boolean => error instanceof HysasError && error.code === 'USAGE'

function noInput(file: string): (cause: unknown) => never {
  return (cause) => {
    throw new HysasError('USAGE', { reason: `the input ${file} can not be read` }, { cause })
  }
}
