import { HysasError, messageOf } from '../errors.js'

/** Of one message, in bytes: the same limit as in a fleet. */
const MESSAGE_LIMIT = 1024 * 1024

/**
 * What goes over the channel, and what those who hear it get: strings and Buffers as they are, all else as JSON.
 * @throws HysasError NOT_SERIALIZABLE, MESSAGE_TOO_LARGE
 */
export function payloadOf(data: unknown, channel: string): { raw: string | Buffer; heard: unknown } {
  if (typeof data === 'string') return limited({ raw: data, heard: data }, channel)
  if (data instanceof Uint8Array) return limited({ raw: Buffer.from(data), heard: Buffer.from(data) }, channel)
  let reason = `${typeof data} has no form in JSON`
  let raw: string | undefined
  try {
    raw = JSON.stringify(data)
  } catch (error) {
    reason = messageOf(error)
  }
  if (raw === undefined) throw new HysasError('NOT_SERIALIZABLE', { channel, reason })
  return limited({ raw, heard: JSON.parse(raw) }, channel)
}

function limited<T extends { raw: string | Buffer }>(payload: T, channel: string): T {
  const bytes = Buffer.byteLength(payload.raw)
  if (bytes > MESSAGE_LIMIT) throw new HysasError('MESSAGE_TOO_LARGE', { bytes, channel, limit: MESSAGE_LIMIT })
  return payload
}
