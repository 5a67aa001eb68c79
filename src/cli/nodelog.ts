import type { LogLevel } from '../contract.js'
import { createLog, type Logger } from '../log.js'
import type { Cli } from './cli.js'
import { logLine } from './logline.js'
import { painter, safeJson } from './print.js'

const LEVELS: Record<number, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}

/** The log of a node on standard error: readable where a person looks, else one JSON object a line. */
export function nodeLog(cli: Cli, level: LogLevel): Logger {
  const pretty = Boolean(cli.stderr.isTTY) && !cli.json
  const shown = (line: string) => (pretty ? prettyLine(cli, line) : safeJson(line))
  return createLog({}, level, { write: (line: string) => void cli.stderr.write(shown(line)) })
}

/** pino's JSON as a person reads it. */
export function prettyLine(cli: Cli, line: string): string {
  const { level, time, msg = '', ...rest } = JSON.parse(line) as { level: number; time: number; msg?: string }
  // There is one node in this terminal, and what is empty says nothing.
  const fields = Object.fromEntries(Object.entries(rest).filter(([key, value]) => key !== 'node' && value !== ''))
  const word = LEVELS[level] ?? 'info'
  const view = { id: '', time, level: word, type: '', nickname: '', epoch: null, msg, stream: 'log', fields }
  return `${logLine(view, painter(cli.stderr, cli.env))}\n`
}
