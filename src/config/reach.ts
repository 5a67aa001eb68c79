import { isIP } from 'node:net'
import * as z from 'zod'

const NAMED = ['loopback', 'linklocal', 'uniquelocal']

/** `/hysas` of `/hysas/`, `hysas` or `/hysas`; empty for `/`. */
export function basePathCheck(said: { error: string }) {
  return z
    .string(said)
    .transform((value) => value.replace(/^\/+|\/+$/g, ''))
    .refine(
      (value) => value === '' || value.split('/').every((part) => /^[\w.~-]+$/.test(part) && !/^\.+$/.test(part)),
      said,
    )
    .transform((value) => value && `/${value}`)
}

/** A list, or in a variable one text with commas, of what `fits`. */
export function listCheck(fits: (one: string) => boolean, said: { error: string }) {
  return z
    .union([z.array(z.string(said), said), z.string(said)], said)
    .transform((value) =>
      (typeof value === 'string' ? value.split(',') : value).map((one) => one.trim()).filter(Boolean),
    )
    .refine((value) => value.every(fits), said)
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
