import { useEffect, useState } from 'preact/hooks'
import { API } from './api.js'
import { refusalOf } from './refusal.js'
import { SILENT_MS } from './silence.js'

export type Following = 'connecting' | 'live' | 'lost' | 'refused'
const RETRY_MS = 2_000

/**
 * Hears a further stream for as long as `path` is given and the page is looked at; a page in the background lets it go.
 * `take` must not change from render to render. Returns how the connection is, why it was refused, and how many
 * were left out because this page, or its node, did not read them fast enough.
 */
export function useStream(path: string | undefined, what: string, take: (data: unknown) => void) {
  const [state, setState] = useState<Following>('connecting')
  const [reason, setReason] = useState('')
  const [dropped, setDropped] = useState(0)
  useEffect(() => {
    if (path === undefined) return
    let source: EventSource | undefined
    /** Of its silence while it is open, then of the next try. */
    let timer: ReturnType<typeof setTimeout> | undefined
    let opened = false
    /** Asks why it could not be opened. */
    let asking: AbortController | undefined
    let refusedForGood = false
    const open = () => {
      close()
      if (document.hidden || refusedForGood) return
      opened = false
      source = new EventSource(API + path)
      source.onerror = lose
      source.onopen = () => {
        heard()
        opened = true
        setState('live')
        setReason('')
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
      if (!opened) return ask()
      setState('lost')
      timer = setTimeout(open, RETRY_MS)
    }
    const ask = async () => {
      asking = new AbortController()
      const { signal } = asking
      const refusal = await refusalOf(path, signal)
      if (signal.aborted) return
      setState(refusal ? 'refused' : 'lost')
      setReason(refusal?.text ?? '')
      refusedForGood = refusal !== undefined && refusal.retryMs === undefined
      timer = setTimeout(open, refusal?.retryMs ?? RETRY_MS)
    }
    const close = () => {
      clearTimeout(timer)
      source?.close()
      asking?.abort()
    }
    const look = () => (document.hidden ? close() : open())
    document.addEventListener('visibilitychange', look)
    setState('connecting')
    setReason('')
    setDropped(0)
    open()
    return () => {
      document.removeEventListener('visibilitychange', look)
      close()
    }
  }, [path, what, take])
  return { state, reason, dropped }
}
