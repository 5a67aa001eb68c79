/**
 * Redis delivers one message once for the channel and once for each pattern that match it, one right after the other,
 * the channel first. So whatever has the same channel and text as the delivery before, and comes by a pattern that the
 * message hasn't come by yet, is the same message.
 */
export function createRepeatCheck(): (pattern: string | undefined, channel: string, raw: string) => boolean {
  let lastChannel = ''
  let lastRaw = ''
  const seen = new Set<string>()
  return (pattern, channel, raw) => {
    if (pattern !== undefined && channel === lastChannel && !seen.has(pattern) && raw === lastRaw) {
      seen.add(pattern)
      return true
    }
    lastChannel = channel
    lastRaw = raw
    seen.clear()
    if (pattern !== undefined) seen.add(pattern)
    return false
  }
}
