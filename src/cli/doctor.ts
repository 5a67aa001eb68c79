import { existsSync } from 'node:fs'
import { access, constants } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import { storeFileOf } from '../config/store-file.js'
import { messageOf } from '../errors.js'
import { type Finding, type Patient, problem } from './finding.js'
import { storeOptions } from './history.js'

type Check = (patient: Patient) => Promise<Finding | Finding[]>

/** Every check, side by side; one that fails is a finding, never an error. */
export async function examine(patient: Patient): Promise<Finding[]> {
  const { processorFindings } = await import('./doctor-processors.js')
  const { redisFindings } = await import('./doctor-redis.js')
  const checks: [name: string, check: Check][] = [
    ['node', checkNode],
    ['redis', redisFindings],
    ['database', checkDatabase],
    ['folder', checkFolder],
    ['port', checkPort],
    ['processors', processorFindings],
  ]
  const findings = await Promise.all(
    checks.map(([name, check]) => check(patient).catch((error: unknown) => problem(name, error))),
  )
  return findings.flat()
}

export async function checkNode(): Promise<Finding> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const ok = major > 20 || (major === 20 && minor >= 19)
  const text = `Node ${process.versions.node}`
  return ok ? { name: 'node', ok, text } : { name: 'node', ok, text, remedy: 'HySAS needs Node 20.19 or later.' }
}

async function checkDatabase({ settings }: Patient): Promise<Finding> {
  const name = 'database'
  const [{ openStore }, url] = await Promise.all([import('../store/store.js'), import('../store/url.js')])
  const options = storeOptions(settings, storeFileOf(settings), url)
  // To open an SQLite file that is not there would make it.
  if (!options.url && !existsSync(options.sqliteFile))
    return { name, ok: true, text: `SQLite at ${options.sqliteFile}, made by the first node` }
  const store = await openStore(options)
  try {
    await store.find({ limit: 1 })
    return { name, ok: true, text: `${store.kind === 'mysql' ? 'MySQL or MariaDB' : 'SQLite'} at ${store.where}` }
  } finally {
    await store.close()
  }
}

async function checkFolder({ settings: { dataDir } }: Patient): Promise<Finding> {
  const name = 'folder'
  const there = existsSync(dataDir)
  const where = there ? dataDir : dirname(dataDir)
  try {
    await access(where, constants.W_OK)
    return { name, ok: true, text: `${dataDir}${there ? '' : ', made by the first node'}` }
  } catch {
    return { name, ok: false, text: `${where} can not be written`, remedy: 'Give yourself the right to write there.' }
  }
}

async function checkPort({ settings: { web, host, port } }: Patient): Promise<Finding> {
  const name = 'port'
  if (!web) return { name, ok: true, text: 'no page is wanted' }
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
    return { name, ok: true, text: `${host}:${port} is free` }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE')
      return { name, ok: true, text: `${host}:${port} is taken; a new node takes the next free one` }
    return {
      name,
      ok: false,
      text: `${host}:${port} can not be opened: ${messageOf(error)}`,
      remedy: 'Choose another by HYSAS_HOST and HYSAS_PORT.',
    }
  } finally {
    server.close()
  }
}
