import { useEffect, useRef, useState } from 'preact/hooks'
import type { Link } from './fleet.js'

/** How often the connection has come back: what was read by request is old then, or could not be read, and is read again. */
export function useReturns(link: Link): number {
  const [returns, setReturns] = useState(0)
  const was = useRef(link)
  useEffect(() => {
    if (link === 'live' && was.current !== 'live' && was.current !== 'connecting') setReturns((n) => n + 1)
    was.current = link
  }, [link])
  return returns
}
