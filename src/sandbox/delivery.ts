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
  try {
    return JSON.parse(raw)
  } catch {
    return raw
  }
}
