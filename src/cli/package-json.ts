import { readFileSync } from 'node:fs'
import { basename, join, relative, sep } from 'node:path'
import { HysasError, messageOf } from '../errors.js'
import { ownPackage } from '../node/package-root.js'
import { packageScripts } from './templates.js'
import { packageVersion } from './version.js'

type Json = Record<string, unknown>

/** What `npm init` writes where nobody says what the tests are. */
const NO_TEST = /no test specified/

/**
 * The text of a project's package.json: a new one; or the one that is there (`npm install hysas` makes one), with what it
 * lacks. Nothing that its owner wrote is changed.
 * @throws HysasError BAD_PACKAGE_FILE
 */
export function projectPackage(folder: string): { text: string; isNew: boolean } {
  const there = readThere(join(folder, 'package.json'))
  const json: Json = there ?? { name: nameOf(folder), version: '0.1.0', private: true, type: 'module' }
  const scripts = objectOf(json.scripts)
  if (NO_TEST.test(String(scripts.test))) delete scripts.test
  json.scripts = { ...packageScripts, ...scripts }
  const dependencies = objectOf(json.dependencies)
  const development = objectOf(json.devDependencies)
  const known = { ...development, ...dependencies }
  const add = (wanted: Record<string, string>) =>
    Object.fromEntries(Object.entries(wanted).filter(([name]) => known[name] === undefined))
  json.dependencies = { ...dependencies, ...add({ hysas: ownRange(folder), zod: versionOf('zod') }) }
  json.devDependencies = { ...development, ...add({ '@types/node': '^20.19.0', typescript: '>=5.5' }) }
  return { text: `${JSON.stringify(json, undefined, 2)}\n`, isNew: there === undefined }
}

function readThere(file: string): Json | undefined {
  try {
    const json: unknown = JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, '')) // editors of Windows put it in
    if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new Error('it holds no JSON object')
    return json as Json
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new HysasError('BAD_PACKAGE_FILE', { file, reason: messageOf(error) }, { cause: error })
  }
}

/** This version; from a checkout, which no registry has, the checkout itself. */
function ownRange(folder: string): string {
  const { root } = ownPackage()
  return root.split(sep).includes('node_modules') ? `^${packageVersion()}` : `file:${relative(folder, root)}`
}

/** The range of a package that ours asks for, so that both get one copy. */
function versionOf(name: string): string {
  const own = JSON.parse(readFileSync(join(ownPackage().root, 'package.json'), 'utf8')) as Json
  return String(objectOf(own.dependencies)[name] ?? '*')
}

/** The folder's name as npm allows it. */
function nameOf(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+/, '')
  return name === '' || name === 'hysas' ? 'my-hysas' : name
}

function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...(value as Json) } : {}
}
