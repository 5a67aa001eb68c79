import { useEffect, useState } from 'preact/hooks'
import { API } from './api.js'
import { SILENT_MS } from './silence.js'

export type Following = 'connecting' | 'live' | 'lost'

/**
 * Hears a further stream for as long as `path` is given and the page is looked at; a page in the background lets it go.
 * `take` must not change from render to render. Returns how the connection is, and how many
 * were left out because this page, or its node, did not read them fast enough.
 */
export function useStream(path: string | undefined, what: string, take: (data: unknown) => void) {
  const [state, setState] = useState<Following>('connecting')
  const [dropped, setDropped] = useState(0)
  useEffect(() => {
    if (path === undefined) return
    let source: EventSource | undefined
    /** Of its silence while it is open, then of the next try. */
    let timer: ReturnType<typeof setTimeout> | undefined
    const open = () => {
      close()
      if (document.hidden) return
      source = new EventSource(API + path)
      source.onerror = lose
      source.onopen = () => {
        heard()
        setState('live')
      }
      source.addEventListener('ping', heard)
      source.addEventListener(what, (message) => {
        heard()
        take(JSON.parse(message.data))
      })
      source.addEventListener('dropped', (message) => {
        heard()
        const more: number = JSON.parse(message.data).dropped
        setDropped((n) => n + more)
      })
      heard()
    }
    const heard = () => {
      clearTimeout(timer)
      timer = setTimeout(lose, SILENT_MS)
    }
    const lose = () => {
      close()
      setState('lost')
      timer = setTimeout(open, 2_000)
    }
    const close = () => {
      clearTimeout(timer)
      source?.close()
    }
    const look = () => (document.hidden ? close() : open())
    document.addEventListener('visibilitychange', look)
    setState('connecting')
    setDropped(0)
    open()
    return () => {
      document.removeEventListener('visibilitychange', look)
      close()
    }
  }, [path, what, take])
  return { state, dropped }
}
