import { randomBytes } from 'node:crypto'

/** A namespace of its own, because pub/sub ignores database numbers. */
export function namespace(): string {
  return `T${randomBytes(5).toString('hex')}`
}
