import { useEffect, useState } from 'preact/hooks'

const hearers = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined

/** Draws the component anew each second, for ages that count on. One clock for all of the page. */
export function useSeconds(): void {
  const [, setTick] = useState(0)
  useEffect(() => {
    const hear = () => setTick((tick) => tick + 1)
    hearers.add(hear)
    timer ??= setInterval(() => {
      for (const one of hearers) one()
    }, 1000)
    return () => {
      hearers.delete(hear)
      if (hearers.size > 0) return
      clearInterval(timer)
      timer = undefined
    }
  }, [])
}
