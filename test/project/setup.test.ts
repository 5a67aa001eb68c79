import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { transformSync } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../helpers/folder.js'
import { findProgram } from '../helpers/process.js'

const ROOT = join(import.meta.dirname, '../..')
const NEEDED = ['sh', 'cut', 'tr', 'sort', 'ls', 'rm', 'chmod', 'cat', 'touch']

/** A folder of programs that is all of PATH: the few that a shell script needs, and the given ones (shell scripts). */
function bin(programs: Record<string, string>): string {
  const folder = temporaryFolder()
  for (const name of NEEDED) symlinkSync(findProgram(name) ?? '', join(folder, name))
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  return folder
}

/** Runs the part of the set-up that brings programs, as this user or as an ordinary one, with `path` as PATH. */
function install(path: string, { root = true, env = {} as Record<string, string>, options = '{}' } = {}) {
  const script = `
    process.getuid = () => ${root ? 0 : 1000}
    const { missingPrograms } = await import(${JSON.stringify(join(ROOT, 'scripts/lib/programs.mjs'))})
    const { installPrograms } = await import(${JSON.stringify(join(ROOT, 'scripts/lib/system-packages.mjs'))})
    const missing = missingPrograms({ ...${options}, env: process.env })
    console.log(missing.map(({ names }) => names[0]).join(' '))
    if (missing.length && !(await installPrograms(missing))) process.exitCode = 1`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: { PATH: path, ...env },
  })
  return { status, missing: stdout.trim(), said: stderr }
}

describe('package-lock.json', () => {
  it('has an entry for everything that is wanted, also for other platforms: else `npm ci` refuses it', () => {
    const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'))
    const missing = Object.entries<Record<string, object>>(packages).flatMap(
      ([path, { dependencies, optionalDependencies }]) =>
        Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => !isLocked(packages, path, name)),
    )
    expect(missing).toEqual([])
  })
})

/** Looked for as Node does: beside the one that wants it, then further up. */
function isLocked(packages: object, path: string, name: string): boolean {
  if (Object.hasOwn(packages, `${path && `${path}/`}node_modules/${name}`)) return true
  return path !== '' && isLocked(packages, path.slice(0, Math.max(0, path.lastIndexOf('/node_modules/'))), name)
}

describe('the set-up', () => {
  it('tells an old Node what to do, in words that an old Node can read', () => {
    const file = join(ROOT, 'scripts/node-version.cjs')
    const told = (version: string) =>
      spawnSync(
        process.execPath,
        ['-e', `Object.defineProperty(process.versions, 'node', { value: '${version}' }); require('${file}')`],
        { encoding: 'utf8' },
      )
    for (const old of ['10.24.0', '18.20.1', '20.18.3']) {
      expect(told(old).status).toBe(1)
      expect(told(old).stderr).toMatch(`needs Node 20.19 or later; this is Node ${old}`)
      expect(told(old).stderr).toMatch(/nodejs.org/)
    }
    for (const good of ['20.19.0', '22.0.0', '24.1.0']) expect(told(good).status).toBe(0)
    expect(() => transformSync(readFileSync(file, 'utf8'), { target: 'es5' })).not.toThrow()
  })

  it('installs the packages that build it also where npm is told to leave them out', () => {
    const folder = temporaryFolder()
    const script = `
      const { installPackages } = await import(${JSON.stringify(join(ROOT, 'scripts/lib/node-packages.mjs'))})
      await installPackages(${JSON.stringify(folder)})`
    const env = { PATH: bin({ npm: `echo "$*" >${folder}/log` }), NODE_ENV: 'production' }
    spawnSync(process.execPath, ['--input-type=module', '-e', script], { env })
    expect(readFileSync(join(folder, 'log'), 'utf8')).toMatch(/^ci .*--include=dev /)
  })

  it('wants no Redis where one is configured or on PATH', () => {
    expect(install(bin({ 'redis-server': '' })).missing).toBe('')
    expect(install(bin({ 'valkey-server': '' })).missing).toBe('')
    expect(install(bin({}), { env: { HYSAS_REDIS_URL: 'redis://r' } }).missing).toBe('')
    expect(install(bin({}), { env: { REDIS_URL: 'redis://r' } }).missing).toBe('')
  })

  it('installs what is missing by the package manager, without questions, and says that it lives', () => {
    const log = join(temporaryFolder(), 'log')
    const path = bin({ 'apt-get': `echo "$DEBIAN_FRONTEND $*" >>${log}` })
    const { status, missing, said } = install(path)
    expect(missing).toBe('redis-server')
    expect(said).toMatch(/✓ Installing redis-server by apt-get/)
    expect(status).toBe(0)
    const calls = readFileSync(log, 'utf8')
    expect(calls).toMatch(/^noninteractive .* update\nnoninteractive .* install .*redis-server\n$/)
  })

  it('goes on without fresh lists, and tries valkey where there is no package of Redis', () => {
    const log = join(temporaryFolder(), 'log')
    const apt = `echo "$*" >>${log}; case "$*" in *update*|*redis*) exit 100;; esac`
    expect(install(bin({ 'apt-get': apt })).status).toBe(0)
    expect(readFileSync(log, 'utf8')).toMatch(/install .*redis-server\n.*install .*valkey-server\n$/)
  })

  it('leaves no service enabled or running that was not before', () => {
    const folder = temporaryFolder()
    const log = join(folder, 'log')
    const path = bin({
      'apt-get': `case "$*" in *install*) touch ${folder}/done;; esac`,
      // What `systemctl list-units` shows before and after.
      systemctl: `echo "$*" >>${log}
        case "$1" in list-units) echo "old.service loaded active"; [ -e ${folder}/done ] && echo "redis-server.service loaded active";; esac`,
    })
    expect(install(path).status).toBe(0)
    const calls = readFileSync(log, 'utf8')
    expect(calls).toMatch(/^stop redis-server.service$/m)
    expect(calls).not.toMatch(/stop old/)
  })

  it('leaves the policy of services as it was', () => {
    const policy = '/usr/sbin/policy-rc.d'
    const before = existsSync(policy) && readFileSync(policy, 'utf8')
    expect(install(bin({ 'apt-get': '' })).status).toBe(0)
    expect(existsSync(policy) && readFileSync(policy, 'utf8')).toBe(before)
  })

  it('prints the one command to type where it may not install', () => {
    const failing = 'echo no >&2; exit 1'
    const withSudo = install(bin({ 'apt-get': failing, sudo: failing }), { root: false })
    expect(withSudo.said).toMatch(/^ {4}sudo apt-get .*update && sudo apt-get .*install .*redis-server$/m)
    expect(withSudo.status).toBe(1)
    const without = install(bin({ 'apt-get': failing }), { root: false })
    expect(without.said).toMatch(/^ {4}su -c "apt-get .*update && apt-get .*install .*redis-server"$/m)
    expect(without.status).toBe(1)
  })

  it('uses a sudo that asks nothing', () => {
    const log = join(temporaryFolder(), 'log')
    const path = bin({ 'apt-get': `echo "apt $*" >>${log}`, sudo: `echo "sudo $1" >>${log}; shift; "$@"`, true: '' })
    expect(install(path, { root: false }).status).toBe(0)
    expect(readFileSync(log, 'utf8')).toMatch(/^sudo -n\nsudo -n\napt .*update\napt .*install/)
  })

  it('shows what the package manager said where it fails, and the command', () => {
    const { status, said } = install(bin({ 'apt-get': 'echo "E: disk is full" >&2; exit 100' }))
    expect(said).toMatch(/E: disk is full/)
    expect(said).toMatch(/By hand it would be:/)
    expect(status).toBe(1)
  })

  it('says what to look for where it knows no package manager', () => {
    const { status, said } = install(bin({}))
    expect(said).toMatch(/install redis-server or valkey-server by hand/)
    expect(status).toBe(1)
  })
})
