import { stripVTControlCharacters } from 'node:util'
import pc from 'picocolors'
import { HysasError, toHysasError } from '../errors.js'
import type { Cli, Terminal } from './cli.js'
import { plural } from './format.js'

/** Prints a result: `value` as JSON where asked for, else the lines of `text`. */
export function result(cli: Cli, value: unknown, text: (paint: Paint) => string): void {
  if (cli.json) cli.stdout.write(`${jsonText(value, 2)}\n`)
  else {
    const lines = text(painter(cli.stdout, cli.env))
    if (lines) cli.stdout.write(`${lines}\n`)
  }
}

/** Prints one item of a stream of results: one line each, also as JSON. */
export function item(cli: Cli, value: unknown, text: (paint: Paint) => string): void {
  cli.stdout.write(`${cli.json ? jsonText(value) : text(painter(cli.stdout, cli.env))}\n`)
}

/** Tells something that is no result. Silent with `--json`. */
export function note(cli: Cli, text: string | ((paint: Paint) => string)): void {
  if (cli.json) return
  const paint = painter(cli.stderr, cli.env)
  cli.stderr.write(`${typeof text === 'string' ? paint.dim(text) : text(paint)}\n`)
}

/** Tells, in the midst of a stream of results, how many are missing; null: nobody knows. `{"dropped": 3}` with `--json`. */
export function missing(cli: Cli, count: number | null, what: string, why: string): void {
  const paint = painter(cli.stderr, cli.env)
  const text = `${count === null ? `an unknown number of ${what}s` : plural(count, what)} missing here: ${why}`
  cli.stderr.write(`${cli.json ? jsonText({ dropped: count }) : paint.yellow(text)}\n`)
}

/** `error CODE: sentence` and its remedy, or `{"error": {...}}` with `--json`. */
export function printError(cli: Cli, thrown: unknown): void {
  const error = toHysasError(thrown)
  if (cli.json) {
    const { code, message, remedy } = error
    cli.stderr.write(`${jsonText({ error: { code, message, remedy } })}\n`)
    return
  }
  const paint = painter(cli.stderr, cli.env)
  cli.stderr.write(`${paint.red(`error ${error.code}:`)} ${clean(error.message)}\n`)
  if (error.remedy) cli.stderr.write(`  ${paint.dim('→')} ${clean(error.remedy)}\n`)
  const hasStack = error.code === 'INTERNAL' || error.code === 'PROCESSOR_FAILED'
  if (hasStack && error.cause instanceof Error && error.cause.stack)
    cli.stderr.write(`${paint.dim(indent(cleanLines(error.cause.stack), 4))}\n`)
}

/**
 * Foreign text (logs, messages, errors) for one line of a terminal: escape sequences are removed, any other control
 * character, line break or change of writing direction becomes a space, so that nobody can move the cursor or forge a line.
 */
export function clean(text: unknown): string {
  return stripVTControlCharacters(String(text ?? '')).replace(UNSAFE, ' ')
}

/** The same for text of several lines, such as a stack. */
export function cleanLines(text: string): string {
  return text.split(/\r?\n/).map(clean).join('\n')
}

/** JSON that is safe to show: what JSON leaves as it is but a terminal would obey is escaped. */
export function jsonText(value: unknown, space?: number): string {
  return safeJson(JSON.stringify(value, undefined, space) ?? 'null')
}

/** The same for what is JSON already. */
export function safeJson(text: string): string {
  return text.replace(UNSAFE_IN_JSON, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

export function indent(text: string, by: number): string {
  return text.replace(/^/gm, ' '.repeat(by))
}

export type Paint = ReturnType<typeof pc.createColors>

/** Colours only where a person looks, and not against NO_COLOR. */
export function painter(terminal: Terminal, env: NodeJS.ProcessEnv): Paint {
  return pc.createColors(Boolean(terminal.isTTY) && !env.NO_COLOR && env.TERM !== 'dumb')
}

/** @throws HysasError USAGE */
export function misuse(reason: string): never {
  throw new HysasError('USAGE', { reason })
}

// C0, DEL, C1, line and paragraph separators, and the marks that turn the direction of writing around.
// biome-ignore lint/suspicious/noControlCharactersInRegex: removing control characters is its purpose
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
const UNSAFE_IN_JSON = /[\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
