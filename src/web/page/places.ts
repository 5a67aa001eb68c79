import { useLayoutEffect, useRef } from 'preact/hooks'

/** How far each step of the browser's history was scrolled when it was left, px. */
const places = new Map<string, number>()
let here = ''

/**
 * A view that is opened is seen from its top, one that is come back to where it was left, and the focus goes there. A
 * change of the query changes neither.
 */
export function usePlace(view: string, name: string): void {
  useLayoutEffect(() => {
    history.scrollRestoration = 'manual' // the browser would do it before the view is drawn
    here = placeOf()
    const leave = () => {
      places.set(here, scrollY)
      here = placeOf()
    }
    addEventListener('hashchange', leave)
    return () => removeEventListener('hashchange', leave)
  }, [])
  const opened = useRef(false)
  useLayoutEffect(() => {
    if (opened.current) {
      scrollTo(0, places.get(here) ?? 0)
      if (document.activeElement?.id !== 'search') document.getElementById('main')?.focus({ preventScroll: true })
    }
    opened.current = true
  }, [view, name])
}

/** Of the present step; one that has none yet is new. */
function placeOf(): string {
  const known: unknown = history.state?.place
  if (typeof known === 'string') return known
  const place = String(Math.random())
  history.replaceState({ place }, '')
  return place
}
