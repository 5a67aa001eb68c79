import { useEffect, useRef, useState } from 'preact/hooks'
import type { StoredEvent } from '../../store/types.js'

/** Gaps that follow each other within so long are filled together, ms. */
const TOGETHER_MS = 3000

/**
 * How often events were left out, since more came than the stream or this page could take: what was the newest is not
 * among those that are known now. What was read by request is to be read again then.
 */
export function useGaps(events: readonly StoredEvent[]): number {
  const [gaps, setGaps] = useState(0)
  const newest = useRef<string>()
  const timer = useRef<ReturnType<typeof setTimeout>>()
  useEffect(() => {
    const before = newest.current
    newest.current = events[0]?.id ?? before
    if (before === undefined || events.some(({ id }) => id === before)) return
    timer.current ??= setTimeout(() => {
      timer.current = undefined
      setGaps((n) => n + 1)
    }, TOGETHER_MS)
  }, [events])
  useEffect(() => () => clearTimeout(timer.current), [])
  return gaps
}
