import { open, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Settings } from '../config/settings.js'
import { HysasError } from '../errors.js'
import { compileProcessor } from '../node/compile.js'
import { createHarness, type Harness, type LogEntry } from '../testing.js'
import { type Cli, Failures } from './cli.js'
import { plural } from './format.js'
import { logLine } from './logline.js'
import { clean, item, jsonText, note, printError } from './print.js'
import { fileOfType, loadBundle } from './processor-file.js'
import { ticksOf } from './ticks.js'

export interface Foreground {
  type: string
  nickname: string
  params: Record<string, unknown>
  settings: Settings
  /** File whose lines are fed as messages; `-` is standard input. */
  input?: string
  /** Wait for a debugger first. */
  inspect: boolean
}

/**
 * Runs one processor in this process, without fleet and Redis: what it publishes goes to standard output, what it logs
 * to standard error. It ends with its work, with its input, or with Ctrl-C.
 * @throws HysasError NO_PROCESSOR, BAD_PROCESSOR, BAD_PARAMS, or what the processor threw; Failures after failed messages
 */
export async function runInForeground(cli: Cli, options: Foreground): Promise<void> {
  const { type, nickname, params, settings } = options
  const input = options.input === undefined || options.input === '-' ? options.input : resolve(cli.cwd, options.input)
  if (input !== undefined && input !== '-') await stat(input).catch(noInput(input))
  const file = await fileOfType(type, settings)
  const outDir = join(settings.dataDir, 'run')
  process.setSourceMapsEnabled(true)
  const { bundle } = await compileProcessor({ file, outDir })
  if (options.inspect) (await import('node:inspector')).open(9229, '127.0.0.1', true)
  const { processor, manifest } = await loadBundle(bundle, file)
  const harness = createHarness(processor, {
    type,
    nickname,
    params,
    namespace: settings.namespace,
    clock: 'real',
    onPublish: (published) => item(cli, published, () => shown(published.data)),
    onEvent: (event) => note(cli, (paint) => `${paint.yellow('event')} ${clean(jsonText(event))}`),
    onLog: (entry) => tellLog(cli, nickname, entry),
  })
  const signal = cli.interrupted()
  const interrupted = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  await harness.start()
  note(cli, `${type} runs as ${nickname}, without a fleet. Ctrl-C ends it.`)
  try {
    if (manifest.kind === 'repeatable') await ticksOf(harness, manifest, signal)
    else if (input !== undefined) await feed(cli, harness, input, signal)
    else await Promise.race([harness.finished, interrupted])
  } finally {
    await harness.stop('stop')
  }
}

/** Each line of the input is one message, as if it came over a channel that the processor hears. */
async function feed(cli: Cli, harness: Harness, input: string, signal: AbortSignal): Promise<void> {
  const { createInterface } = await import('node:readline')
  const source = input === '-' ? process.stdin : (await open(input)).createReadStream()
  const lines = createInterface({ input: source, crlfDelay: Number.POSITIVE_INFINITY })
  signal.addEventListener('abort', () => lines.close(), { once: true })
  let fed = 0
  let failed = 0
  for await (const line of lines) {
    fed++
    await harness.send(line).catch((error: unknown) => {
      failed++
      printError(cli, error)
    })
  }
  source.destroy()
  note(cli, `${plural(fed, 'line')} fed, ${failed} failed, ${plural(harness.published.length, 'message')} published`)
  if (failed) throw new Failures([])
}

function noInput(file: string): (cause: unknown) => never {
  return (cause) => {
    throw new HysasError('USAGE', { reason: `the input ${file} can not be read` }, { cause })
  }
}

function tellLog(cli: Cli, nickname: string, { level, msg, fields }: LogEntry): void {
  const line = { id: '', time: Date.now(), level, type: '', nickname, epoch: null, msg, stream: 'log', fields }
  note(cli, (paint) => logLine(line, paint))
}

function shown(data: unknown): string {
  return typeof data === 'string' ? clean(data) : jsonText(data)
}
