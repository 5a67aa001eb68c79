import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where servers lie that are not on an ordinary user's PATH. */
const EXTRA_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/sbin', '/opt/homebrew/bin', '/opt/homebrew/opt/mariadb/bin']

/**
 * What HySAS and its tests need from the system. `packages`: by package manager; where several are named, the first
 * that can be installed.
 */
const PROGRAMS = {
  redis: {
    names: ['redis-server', 'valkey-server'],
    why: 'a Redis server (no HYSAS_REDIS_URL is set, and neither redis-server nor valkey-server is on PATH)',
    size: '5 MB',
    packages: {
      'apt-get': ['redis-server', 'valkey-server'],
      dnf: ['redis', 'valkey'],
      apk: ['redis', 'valkey'],
      pacman: ['valkey', 'redis'],
      brew: ['redis'],
    },
  },
  mariadb: {
    names: ['mariadbd'],
    why: 'a MariaDB server, for the tests (no HYSAS_TEST_MYSQL_URL is set, and there is no mariadbd)',
    size: '20 MB',
    packages: {
      'apt-get': ['mariadb-server'],
      dnf: ['mariadb-server'],
      apk: ['mariadb'],
      pacman: ['mariadb'],
      brew: ['mariadb'],
    },
  },
  network: {
    names: ['tc'],
    why: 'the tools ip and tc, for the tests of a network that fails',
    size: '3 MB',
    packages: { 'apt-get': ['iproute2'], dnf: ['iproute iproute-tc'], apk: ['iproute2'], pacman: ['iproute2'] },
  },
  faketime: {
    names: ['faketime'],
    why: 'libfaketime, for the tests of a clock that is set',
    size: '1 MB',
    packages: { 'apt-get': ['faketime'], dnf: ['libfaketime'], apk: ['libfaketime'], pacman: ['libfaketime'] },
  },
  chromium: {
    names: ['chromium', 'chromium-browser', 'google-chrome'],
    why: 'the browser Chromium with a font, for the tests of the page',
    size: '100 MB',
    packages: {
      'apt-get': ['chromium fonts-liberation'],
      dnf: ['chromium liberation-sans-fonts'],
      apk: ['chromium font-liberation'],
      pacman: ['chromium ttf-liberation'],
      brew: ['--cask chromium'],
    },
  },
}

const MANAGERS = [
  {
    name: 'apt-get',
    update: 'apt-get -q -o DPkg::Lock::Timeout=120 update',
    install: 'apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends',
  },
  { name: 'dnf', install: 'dnf -y install' },
  { name: 'apk', update: 'apk update', install: 'apk add' },
  { name: 'pacman', install: 'pacman -Sy --noconfirm --needed' },
  { name: 'brew', install: 'brew install', asUser: true },
]

/** Of PROGRAMS, those that are needed and not there. */
export function missingPrograms({ test = false, redis = test, env = process.env }) {
  const needed = []
  // `redis`: the tests of the embedded server want the program itself, whatever Redis is configured.
  if (redis || !(env.HYSAS_REDIS_URL || env.REDIS_URL)) needed.push(PROGRAMS.redis)
  if (test && !env.HYSAS_TEST_MYSQL_URL) needed.push(PROGRAMS.mariadb)
  if (test && process.platform === 'linux') needed.push(PROGRAMS.network, PROGRAMS.faketime)
  if (test && !env.HYSAS_TEST_CHROMIUM) needed.push(PROGRAMS.chromium)
  // The server of the program itself is looked for on PATH alone, as the program does.
  return needed.filter(({ names }) => !names.some((name) => isThere(name, env, names !== PROGRAMS.redis.names)))
}

/** The package manager of this system, or undefined. */
export function manager(env = process.env) {
  return MANAGERS.find(({ name }) => isThere(name, env, true))
}

export function isOnPath(name, env = process.env) {
  return isThere(name, env, false)
}

function isThere(name, env, anywhere) {
  const folders = [...(env.PATH ?? '').split(delimiter).filter(Boolean), ...(anywhere ? EXTRA_FOLDERS : [])]
  return folders.some((folder) => existsSync(join(folder, name)))
}
