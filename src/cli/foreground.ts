import { join, resolve } from 'node:path'
import type { Redis } from 'ioredis'
import { locateRedis } from '../config/locate.js'
import type { Settings } from '../config/settings.js'
import { HysasError, messageOf } from '../errors.js'
import { compileProcessor } from '../node/compile.js'
import { abandon, connectRedis, ready } from '../redis/connect.js'
import { createHarness, type LogEntry } from '../testing.js'
import { type Cli, Failures } from './cli.js'
import { checkInput, feed } from './feed.js'
import { logLine } from './logline.js'
import { clean, item, jsonText, misuse, note } from './print.js'
import { fileOfType, loadBundle } from './processor-file.js'
import { ticksOf } from './ticks.js'

export interface Foreground {
  type: string
  nickname: string
  params: Record<string, unknown>
  settings: Settings
  /** File whose lines are fed as messages; `-` is standard input. */
  input?: string
  /** Give it the Redis of the fleet as `ctx.redis`. */
  redis: boolean
  /** Wait for a debugger first. */
  inspect: boolean
}

/**
 * Runs one processor in this process, without a fleet: what it publishes goes to standard output, what it logs to
 * standard error. It ends with its work, with its input, or with Ctrl-C.
 * @throws HysasError USAGE, NO_PROCESSOR, BAD_PROCESSOR, BAD_PARAMS, PROCESSOR_FAILED, NO_REDIS_GIVEN, or why the fleet's
 * Redis can't be used; Failures after failed messages
 */
export async function runInForeground(cli: Cli, options: Foreground): Promise<void> {
  const { type, nickname, params, settings } = options
  const input = options.input === undefined || options.input === '-' ? options.input : resolve(cli.cwd, options.input)
  if (input !== undefined) await checkInput(input)
  const file = await fileOfType(type, settings)
  const outDir = join(settings.dataDir, 'run')
  process.setSourceMapsEnabled(true)
  const { bundle } = await compileProcessor({ file, outDir })
  if (options.inspect) (await import('node:inspector')).open(9229, '127.0.0.1', true)
  const { processor, manifest } = await loadBundle(bundle, file)
  if (input !== undefined && manifest.kind === 'repeatable') misuse('a repeatable processor hears no input')
  const redis = options.redis ? await fleetsRedis(cli, settings) : undefined
  const harness = createHarness(processor, {
    type,
    nickname,
    params,
    ...(redis && { redis }),
    namespace: settings.namespace,
    clock: 'real',
    onPublish: (published) => item(cli, published, () => shown(published.data)),
    onEvent: (event) => note(cli, (paint) => `${paint.yellow('event')} ${clean(jsonText(event))}`),
    onLog: (entry) => tellLog(cli, nickname, entry),
  })
  const asked = cli.interrupted()
  const over = new AbortController()
  const signal = AbortSignal.any([asked, over.signal])
  const told = (error: unknown) => ofProcessor(error, type, file)
  const work = async () => {
    if (manifest.kind === 'repeatable') await ticksOf(harness, manifest, signal)
    else if (input !== undefined) await feed(cli, harness, { input, type, signal, told })
    else await aborted(signal)
  }
  try {
    await harness.start()
    note(cli, `${type} runs as ${nickname}, without a fleet. Ctrl-C ends it.`)
    try {
      const working = work()
      working.catch(() => {}) // told by the race, unless the processor ended first
      await Promise.race([working, harness.finished])
    } finally {
      over.abort()
      await harness.stop('stop')
    }
  } catch (error) {
    throw told(error)
  } finally {
    if (redis) abandon(redis)
  }
}

/** @throws HysasError NO_REDIS_KNOWN, NO_REDIS, REDIS_AUTH */
async function fleetsRedis(cli: Cli, settings: Settings): Promise<Redis> {
  const { url, source } = await locateRedis(settings, cli.cwd)
  const redis = connectRedis(url, 'worker', 'run')
  await ready(redis, url, source)
  return redis
}

/** What the processor itself threw is no error of ours. */
function ofProcessor(error: unknown, type: string, file: string): unknown {
  if (error instanceof HysasError || error instanceof Failures) return error
  return new HysasError('PROCESSOR_FAILED', { type, file, reason: messageOf(error) }, { cause: error })
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

function tellLog(cli: Cli, nickname: string, { level, msg, fields }: LogEntry): void {
  const line = { id: '', time: Date.now(), level, type: '', nickname, epoch: null, msg, stream: 'log', fields }
  note(cli, (paint) => logLine(line, paint))
}

function shown(data: unknown): string {
  return typeof data === 'string' ? clean(data) : jsonText(data)
}
