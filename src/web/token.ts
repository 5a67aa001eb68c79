import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Settings } from '../config/settings.js'

export type Role = 'viewer' | 'operator'

/** Knows the tokens of both roles, and the cookies that stand for them. */
export interface Keyring {
  /** The operator's token, for the link. */
  readonly token: string
  /** Role of a token, or undefined. Takes the same time whatever is given. */
  roleOfToken(given: string): Role | undefined
  /** Name and value of the cookie of a role. Its value tells nothing about the token and can't be guessed. */
  cookieOf(role: Role): { name: string; value: string }
  roleOfCookies(cookies: Record<string, string | undefined>): Role | undefined
}

/**
 * The tokens of `settings`, or the one generated in `<dataDir>/token`, which stays there so that links survive a
 * restart. Cookies are signed with `<dataDir>/cookie-key`, so that they do as well.
 */
export function keyringOf(settings: Pick<Settings, 'token' | 'viewerToken' | 'dataDir'>): Keyring {
  const token = settings.token ?? generatedToken(settings.dataDir)
  const key = kept(join(settings.dataDir, 'cookie-key'))
  const roles: { role: Role; digest: Buffer; cookie: { name: string; value: string } }[] = []
  const add = (role: Role, secret: string) => {
    // The name differs for each fleet, because browsers send cookies to every port of a host.
    const name = `hysas_${role}_${mac(key, `name ${secret}`).slice(0, 8)}`
    roles.push({ role, digest: digest(secret), cookie: { name, value: mac(key, `${role} ${secret}`) } })
  }
  add('operator', token)
  if (settings.viewerToken !== undefined && settings.viewerToken !== token) add('viewer', settings.viewerToken)

  return {
    token,
    roleOfToken(given) {
      const asked = digest(given)
      let found: Role | undefined
      for (const { role, digest } of roles) if (timingSafeEqual(asked, digest)) found ??= role
      return found
    },
    cookieOf(role) {
      const entry = roles.find((entry) => entry.role === role)
      if (!entry) throw new Error(`no token for ${role}`)
      return entry.cookie
    },
    roleOfCookies(cookies) {
      return roles.find(({ cookie }) => same(cookies[cookie.name] ?? '', cookie.value))?.role
    },
  }
}

/** The token in `<dataDir>/token`; made, readable by its owner only, where there is none. */
export function generatedToken(dataDir: string): string {
  return kept(join(dataDir, 'token'))
}

/** The path that, opened in a browser, lets its user in. */
export const loginPath = (token: string): string => `/login?token=${encodeURIComponent(token)}`

function kept(file: string): string {
  mkdirSync(join(file, '..'), { recursive: true })
  try {
    // `wx`: of several nodes that start in one folder at once, one makes it.
    writeFileSync(file, `${randomBytes(32).toString('base64url')}\n`, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const text = readFileSync(file, 'utf8').trim()
  if (text.length >= 32) return text
  // Cut off while it was written (a full disk, a crash): a short secret must not stand.
  writeFileSync(file, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 })
  return readFileSync(file, 'utf8').trim()
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
const mac = (key: string, text: string): string => createHmac('sha256', key).update(text).digest('base64url')
const same = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b))
