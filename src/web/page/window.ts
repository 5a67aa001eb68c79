import { useEffect, useRef, useState } from 'preact/hooks'

/** Fewer rows are all drawn: then the browser's own search finds them. */
const ALL_BELOW = 120
const MARGIN = 12

/**
 * Which of many rows of equal height are near the eye: only these are drawn. `ref` is for the element that holds them;
 * the height of a row is that of its first child that is a row, measured.
 */
export function useWindow(count: number) {
  const ref = useRef<HTMLTableSectionElement>(null)
  const [seen, setSeen] = useState({ from: 0, to: ALL_BELOW, height: 54 })
  useEffect(() => {
    if (count < ALL_BELOW) return
    let frame = 0
    const look = () => {
      frame = 0
      const element = ref.current
      const row = element?.querySelector<HTMLElement>('tr[data-row]')
      if (!element || !row) return
      const height = row.offsetHeight || 54
      const above = -element.getBoundingClientRect().top
      const from = Math.max(0, Math.floor(above / height) - MARGIN)
      const to = Math.max(from + 1, Math.ceil((above + innerHeight) / height) + MARGIN)
      setSeen((was) => (was.from === from && was.to === to && was.height === height ? was : { from, to, height }))
    }
    const soon = () => {
      frame ||= requestAnimationFrame(look)
    }
    look()
    addEventListener('scroll', soon, { passive: true })
    addEventListener('resize', soon)
    return () => {
      cancelAnimationFrame(frame)
      removeEventListener('scroll', soon)
      removeEventListener('resize', soon)
    }
  }, [count])
  if (count < ALL_BELOW) return { ref, from: 0, to: count, above: 0, below: 0 }
  const to = Math.min(count, seen.to)
  const from = Math.min(seen.from, Math.max(0, to - 1))
  return { ref, from, to, above: from * seen.height, below: (count - to) * seen.height }
}
