import { isIP } from 'node:net'
import type { Check } from './check.js'

const NAMED = ['loopback', 'linklocal', 'uniquelocal']

/** `/hysas` of `/hysas/`, `hysas` or `/hysas`; empty for `/`. */
export function basePathCheck(wanted: string): Check {
  return (value) => {
    if (typeof value !== 'string') return { wanted }
    const path = value.replace(/^\/+|\/+$/g, '')
    if (path === '') return { value: '' }
    const fits = path.split('/').every((part) => /^[\w.~-]+$/.test(part) && !/^\.+$/.test(part))
    return fits ? { value: `/${path}` } : { wanted }
  }
}

/** A list, or in a variable one text with commas, of what `fits`. */
export function listCheck(fits: (one: string) => boolean, wanted: string): Check {
  return (value) => {
    const list: unknown = typeof value === 'string' ? value.split(',') : value
    if (!Array.isArray(list) || !list.every((one) => typeof one === 'string')) return { wanted }
    const trimmed = list.map((one: string) => one.trim()).filter(Boolean)
    return trimmed.every(fits) ? { value: trimmed } : { wanted }
  }
}

/** An address, a network as `10.0.0.0/8`, or one of the names that express knows. */
export function isProxy(one: string): boolean {
  const [address = '', bits, more] = one.split('/')
  const family = isIP(address)
  if (NAMED.includes(one)) return true
  if (!family || more !== undefined) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}

/** A host name without port. */
export const isHostName = (one: string): boolean => /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(one)
