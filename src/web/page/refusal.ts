import { API } from './api.js'

/** What the server answers in the place of a stream. */
export interface Refusal {
  status: number
  /** Why, and what to do. */
  text: string
  /** After which it may be asked again; undefined: it will not answer otherwise. */
  retryMs: number | undefined
}

const PATIENCE_MS = 5_000
const RETRY_MS = 2_000

/** Asks why a stream was not opened, which an EventSource does not tell. Undefined: nobody refuses it now, or nobody answers. */
export async function refusalOf(path: string, signal?: AbortSignal): Promise<Refusal | undefined> {
  const end = new AbortController()
  const stop = () => end.abort()
  const timer = setTimeout(stop, PATIENCE_MS)
  signal?.addEventListener('abort', stop)
  try {
    const response = await fetch(API + path, { signal: end.signal })
    const { status } = response
    if (status < 400 || status >= 500) return undefined
    const { message, remedy } = (await response.json().catch(() => ({}))) as { message?: string; remedy?: string }
    const next = status === 429 ? 'It is tried again by itself.' : (remedy ?? '')
    const text = message ? `${message} ${next}`.trim() : `The server answered ${status}.`
    const asked = Number(response.headers.get('retry-after')) * 1000
    return { status, text, retryMs: status === 400 || status === 403 ? undefined : Math.max(RETRY_MS, asked || 0) }
  } catch {
    return undefined
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
    stop() // of a stream that is given after all only this was to be known
  }
}
