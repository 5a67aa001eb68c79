export interface RepeatCheck {
  /** Has this message come before, by another way? To be asked of each delivery, in order. */
  isRepeat(pattern: string | undefined, channel: string, payload: Buffer): boolean
  /** What is subscribed to has changed: no delivery that follows is the message before. */
  reset(): void
}

/**
 * Redis delivers one message once for the channel and once for each pattern that match it, one right after the other,
 * the channel first. So whatever has the same channel and payload as the delivery before, and comes by a pattern that the
 * message hasn't come by yet, is the same message: as long as the patterns stay what they are.
 */
export function createRepeatCheck(): RepeatCheck {
  let lastChannel = ''
  let last: Buffer | undefined
  const seen = new Set<string>()
  return {
    isRepeat(pattern, channel, payload) {
      if (pattern !== undefined && channel === lastChannel && !seen.has(pattern) && last?.equals(payload)) {
        seen.add(pattern)
        return true
      }
      lastChannel = channel
      last = payload
      if (seen.size) seen.clear()
      if (pattern !== undefined) seen.add(pattern)
      return false
    },
    reset() {
      last = undefined
    },
  }
}
