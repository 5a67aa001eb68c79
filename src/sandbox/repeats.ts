/**
 * Redis delivers one message once for the channel and once for each pattern that match it, one right after the other,
 * the channel first. So whatever has the same channel and payload as the delivery before, and comes by a pattern that the
 * message hasn't come by yet, is the same message.
 */
export function createRepeatCheck(): (pattern: string | undefined, channel: string, payload: Buffer) => boolean {
  let lastChannel = ''
  let last: Buffer | undefined
  const seen = new Set<string>()
  return (pattern, channel, payload) => {
    if (pattern !== undefined && channel === lastChannel && !seen.has(pattern) && last?.equals(payload)) {
      seen.add(pattern)
      return true
    }
    lastChannel = channel
    last = payload
    if (seen.size) seen.clear()
    if (pattern !== undefined) seen.add(pattern)
    return false
  }
}
