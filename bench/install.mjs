import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { installPrograms } from '../scripts/lib/system-packages.mjs'
import { runVisibly } from '../scripts/lib/terminal.mjs'

/** Where servers lie that are not on an ordinary user's PATH. */
const EXTRA_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin']

/** By what a row needs: the programs to look for, and the packages that bring them. */
const PROGRAMS = {
  nats: { names: ['nats-server'], packages: { 'apt-get': ['nats-server'], brew: ['nats-server'] } },
  'redis-benchmark': {
    names: ['redis-benchmark'],
    packages: { 'apt-get': ['redis-tools'], dnf: ['redis'], apk: ['redis'], pacman: ['redis'], brew: ['redis'] },
  },
  mariadb: {
    names: ['mariadbd'],
    packages: {
      'apt-get': ['mariadb-server'],
      dnf: ['mariadb-server'],
      apk: ['mariadb'],
      pacman: ['mariadb'],
      brew: ['mariadb'],
    },
  },
  'python3-redis': {
    names: ['/usr/lib/python3/dist-packages/redis/__init__.py'],
    packages: { 'apt-get': ['python3-redis'] },
  },
}

/** Brings the yardsticks that are missing; the project itself needs none of them. False, having said why, where it can't. */
export async function install(root, needs) {
  const missing = [...needs].map((need) => PROGRAMS[need]).filter(({ names }) => !names.some(isThere))
  if (missing.length && !(await installPrograms(missing))) return false
  if (!needs.has('nats') || existsSync(join(root, 'bench/node_modules/nats/package.json'))) return true
  return runVisibly('Installing the NATS client for the bench', 'npm', ['ci', '--ignore-scripts', '--no-audit'], {
    cwd: join(root, 'bench'),
  })
}

function isThere(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...EXTRA_FOLDERS]
  return name.startsWith('/') ? existsSync(name) : folders.some((folder) => existsSync(join(folder, name)))
}
