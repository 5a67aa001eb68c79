import { readFile } from 'node:fs/promises'
import { basename, isAbsolute, join, relative, resolve } from 'node:path'
import { HysasError, messageOf } from '../errors.js'
import { checkNickname } from '../redis/names.js'
import { misuse } from './print.js'

export interface Parameters {
  nickname: string
  params: Record<string, unknown>
  /** Where they were read, relative to the working folder; undefined: no file was there. */
  file: string | undefined
}

export interface ParameterOptions {
  config?: string | undefined
  set?: readonly string[] | undefined
}

/**
 * A worker's parameters: `--config FILE`, else `config/<nickname>.json` in the working folder; then every `--set key=value`
 * on top. A nickname that ends in `.json` names that file (in `config/`, or by its path), and its base name is the nickname.
 * @throws HysasError BAD_NICKNAME, BAD_CONFIG_FILE, USAGE
 */
export async function readParameters(cwd: string, given: string, options: ParameterOptions = {}): Promise<Parameters> {
  const named = given.endsWith('.json')
  const nickname = checkNickname(named ? basename(given, '.json') : given)
  const path = options.config ?? (named && /[/\\]/.test(given) ? given : join('config', `${nickname}.json`))
  const text = await readText(resolve(cwd, path), path, named || options.config !== undefined)
  const params = text === undefined ? {} : parseObject(text, path)
  for (const setting of options.set ?? []) assign(params, setting)
  return { nickname, params, file: text === undefined ? undefined : shownPath(cwd, path) }
}

/**
 * What `--config FILE` and `--set` make of the parameters that a worker has: the file's in their place, and every
 * `--set key=value` on top. Undefined where neither is given.
 * @throws HysasError BAD_CONFIG_FILE, USAGE; the returned function USAGE
 */
export async function readChange(
  cwd: string,
  { config, set = [] }: ParameterOptions,
): Promise<((present: Record<string, unknown>) => Record<string, unknown>) | undefined> {
  if (config === undefined && !set.length) return undefined
  const text = config === undefined ? undefined : await readText(resolve(cwd, config), config, true)
  const change = (present: Record<string, unknown>) => {
    const params = text === undefined ? structuredClone(present) : parseObject(text, config ?? '')
    for (const setting of set) assign(params, setting)
    return params
  }
  change({}) // what is wrong by itself is told at once
  return change
}

/** The text of a file; undefined where it need not be there and is not. */
async function readText(absolute: string, path: string, must: boolean): Promise<string | undefined> {
  try {
    return await readFile(absolute, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (!must && (code === 'ENOENT' || code === 'ENOTDIR')) return undefined
    const reason = code === 'ENOENT' ? 'it is not there' : messageOf(error)
    throw new HysasError('BAD_CONFIG_FILE', { file: path, reason }, { cause: error })
  }
}

function parseObject(text: string, file: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    throw new HysasError('BAD_CONFIG_FILE', { file, reason: messageOf(error) }, { cause: error })
  }
  if (!isObject(value)) throw new HysasError('BAD_CONFIG_FILE', { file, reason: 'it is no JSON object' })
  const forbidden = forbiddenKey(value)
  if (forbidden) throw new HysasError('BAD_CONFIG_FILE', { file, reason: `the key ${forbidden} is not allowed` })
  return value
}

/** `a.b=3` becomes `{a: {b: 3}}`: the value is JSON where it is JSON, else the text itself. */
function assign(params: Record<string, unknown>, setting: string): void {
  const at = setting.indexOf('=')
  const path = setting.slice(0, at).split('.')
  if (at < 1 || path.some((key) => key === '')) misuse(`--set takes key=value, not ${JSON.stringify(setting)}`)
  const value = jsonOrText(setting.slice(at + 1))
  const forbidden = path.find((key) => FORBIDDEN.has(key)) ?? forbiddenKey(value)
  if (forbidden) misuse(`--set: the key ${forbidden} is not allowed`)
  let into = params
  for (const key of path.slice(0, -1)) {
    const inner = Object.hasOwn(into, key) ? into[key] : undefined
    if (inner !== undefined && !isObject(inner)) misuse(`--set ${setting}: ${key} is no object`)
    into[key] = inner ?? {}
    into = into[key] as Record<string, unknown>
  }
  into[path.at(-1) as string] = value
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const FORBIDDEN = new Set(['__proto__', 'prototype', 'constructor'])

function forbiddenKey(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, inner] of Object.entries(value)) {
    const found = FORBIDDEN.has(key) ? key : forbiddenKey(inner)
    if (found) return found
  }
  return undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function shownPath(cwd: string, path: string): string {
  return isAbsolute(path) ? path : relative(cwd, resolve(cwd, path))
}
