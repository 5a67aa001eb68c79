const CR = 0x0d
const LF = 0x0a
const PUSH = 0x3e
const MINUS = 0x2d
const ATTRIBUTE = 0x7c
const HEADS = { message: Buffer.from('>3\r\n$7\r\nmessage\r\n$'), pmessage: Buffer.from('>4\r\n$8\r\npmessage\r\n$') }
/** Of RESP3: a length or a number of elements follows these; to all others belongs just a line. */
const BULKS = new Set([...'$=!'].map((sign) => sign.charCodeAt(0)))
const LISTS = new Map<number, number>([...'*~>'].map((sign) => [sign.charCodeAt(0), 1]))
LISTS.set('%'.charCodeAt(0), 2)
LISTS.set('|'.charCodeAt(0), 2)

export interface MessageParser {
  write(chunk: Buffer): void
}

/**
 * Reads what Redis sends to a connection with subscriptions: the messages of pub/sub it takes out itself, all else, each
 * reply complete, is handed on. It knows just as much of the protocol as it needs for that, which makes it several times
 * as fast as a reader of everything.
 */
export function createMessageParser(of: {
  onMessage: (pattern: string | undefined, channel: Buffer, payload: Buffer) => void
  onOther: (reply: Buffer) => void
}): MessageParser {
  /** Chunks of a reply that is not complete, and how long they must be before it is worth looking at them again. */
  let parts: Buffer[] = []
  let held = 0
  let wanted = 0

  /** @returns where the next reply begins; below 0: so many bytes are missing at least */
  const message = (buffer: Buffer, from: number, isPattern: boolean): number => {
    let pattern: string | undefined
    let at = from + (isPattern ? HEADS.pmessage : HEADS.message).length
    if (isPattern) {
      const end = bulk(buffer, at)
      if (end < 0) return end
      pattern = buffer.toString('utf8', bulkStart, end - 2)
      at = end + 1
    }
    const channelEnd = bulk(buffer, at)
    if (channelEnd < 0) return channelEnd
    const channelStart = bulkStart
    const payloadEnd = bulk(buffer, channelEnd + 1)
    if (payloadEnd < 0) return payloadEnd
    const channel = buffer.subarray(channelStart, channelEnd - 2)
    of.onMessage(pattern, channel, buffer.subarray(bulkStart, payloadEnd - 2))
    return payloadEnd
  }

  const reply = (buffer: Buffer, from: number): number => {
    if (buffer[from] === PUSH) {
      const isMessage = begins(buffer, from, HEADS.message)
      if (isMessage) return isMessage < 0 ? isMessage : message(buffer, from, false)
      const isPattern = begins(buffer, from, HEADS.pmessage)
      if (isPattern) return isPattern < 0 ? isPattern : message(buffer, from, true)
    }
    const end = replyEnd(buffer, from)
    if (end > 0) of.onOther(buffer.subarray(from, end))
    return end
  }

  return {
    write(chunk) {
      if (held) {
        parts.push(chunk)
        held += chunk.length
        if (held < wanted) return
      }
      const buffer = held ? Buffer.concat(parts) : chunk
      parts = []
      held = 0
      for (let at = 0; at < buffer.length; ) {
        const end = reply(buffer, at)
        if (end < 0) {
          parts = [buffer.subarray(at)]
          held = buffer.length - at
          wanted = held - end
          return
        }
        at = end
      }
    },
  }
}

/** 1: it begins so. 0: it does not. -1: at least one more byte is wanted to tell. */
function begins(buffer: Buffer, from: number, head: Buffer): number {
  for (let i = 0; i < head.length; i++) {
    if (from + i >= buffer.length) return -1
    if (buffer[from + i] !== head[i]) return 0
  }
  return 1
}

/** Where the line that begins at `from` has ended, or below 0: so many bytes are missing at least. */
function lineEnd(buffer: Buffer, from: number): number {
  for (let at = from; at < buffer.length - 1; at++) if (buffer[at] === CR && buffer[at + 1] === LF) return at + 2
  return -1
}

/** The number that begins at `from`. */
function numberAt(buffer: Buffer, from: number): number {
  const isNegative = buffer[from] === MINUS
  let number = 0
  for (let at = isNegative ? from + 1 : from; ; at++) {
    const digit = (buffer[at] ?? 0) - 0x30
    if (digit < 0 || digit > 9) return isNegative ? -number : number
    number = number * 10 + digit
  }
}

/** Where the text that was looked at last begins: a second value that `bulk` returns, without an object for it. */
let bulkStart = 0

/** Where the text whose length stands at `from` has ended, its line break included. */
function bulk(buffer: Buffer, from: number): number {
  const start = lineEnd(buffer, from)
  if (start < 0) return start
  const length = numberAt(buffer, from)
  if (length < 0) return start // null
  bulkStart = start
  const end = start + length + 2
  return end <= buffer.length ? end : buffer.length - end
}

/** Where the reply that begins at `from` has ended. */
function replyEnd(buffer: Buffer, from: number): number {
  let at = from
  for (let left = 1; left > 0; left--) {
    const type = buffer[at]
    if (type === undefined) return -1
    const times = LISTS.get(type)
    const end = BULKS.has(type) ? bulk(buffer, at + 1) : lineEnd(buffer, at + 1)
    if (end < 0) return end
    if (times) left += Math.max(0, numberAt(buffer, at + 1)) * times
    // attributes come before what they belong to
    if (type === ATTRIBUTE) left++
    at = end
  }
  return at
}
