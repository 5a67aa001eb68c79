import type { Message } from '../contract.js'
import type { Names } from '../redis/names.js'

/** One message as it came. Its JSON is parsed when first asked for, and once, however many handlers hear it. */
export interface Delivery {
  readonly raw: string
  readonly channel: string
  readonly message: Message
}

export function createDelivery(names: Names, channel: string, raw: string): Delivery {
  let message: Message | undefined
  return {
    raw,
    channel,
    get message() {
      message ??= { data: parsed(raw), raw, channel, ...names.parsePub(channel) }
      return message
    },
  }
}

function parsed(raw: string): unknown {
  if (!mayBeJson(raw)) return raw
  try {
    return JSON.parse(raw)
  } catch {
    return raw
  }
}

/** A failed JSON.parse costs far more than a good one, and lines of text are as usual here as JSON. */
function mayBeJson(raw: string): boolean {
  const first = raw.charCodeAt(0)
  if (first <= 0x22 || first === 0x5b || first === 0x7b) return true // white space, a string, a list, an object
  return raw.length <= 32 && /^(?:-?\d|true|false|null)/.test(raw)
}
