import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HysasError, messageOf } from '../errors.js'

export const SETTINGS_FILE = 'hysas.config.json'

export interface SettingsFile {
  /** Absolute. */
  path: string
  content: Record<string, unknown>
}

/**
 * The nearest `hysas.config.json` in `cwd` or above; undefined where there is none.
 * @throws HysasError BAD_SETTING where it can't be read or is not one JSON object
 */
export async function readSettingsFile(cwd: string): Promise<SettingsFile | undefined> {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const path = join(folder, SETTINGS_FILE)
    const text = await readIfThere(path, folder === cwd)
    if (text !== undefined) return { path, content: parse(path, text) }
    if (folder === dirname(folder)) return undefined
  }
}

/** A file above the working folder counts only where it is the user's own (or root's): others could plant one in /tmp. */
async function readIfThere(path: string, here: boolean): Promise<string | undefined> {
  try {
    if (!here && !isOurs((await stat(path)).uid)) return undefined
    return await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || (!here && code === 'EACCES')) return undefined
    throw unreadable(path, error)
  }
}

function isOurs(owner: number): boolean {
  return !process.getuid || owner === process.getuid() || owner === 0
}

function parse(path: string, text: string): Record<string, unknown> {
  let content: unknown
  try {
    content = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    throw unreadable(path, error)
  }
  if (typeof content === 'object' && content !== null && !Array.isArray(content)) {
    return content as Record<string, unknown>
  }
  throw unreadable(path, 'it is not one JSON object')
}

function unreadable(path: string, cause: unknown): HysasError {
  return new HysasError('BAD_SETTING', { key: 'as a whole', source: path, reason: messageOf(cause) }, { cause })
}
