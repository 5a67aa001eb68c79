/** Lets the first call of each interval through, and tells it how many were held back since the last one. */
export function throttle(everyMs: number, tell: (text: string, held: number) => void): (text: string) => void {
  let last = Number.NEGATIVE_INFINITY
  let held = 0
  return (text) => {
    const now = performance.now()
    if (now - last < everyMs) {
      held++
      return
    }
    last = now
    tell(text, held)
    held = 0
  }
}
