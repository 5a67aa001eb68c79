import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../errors.js'
import { type Logger, withoutPassword } from '../log.js'

/** What is posted, as JSON. Several at once come as one, with `list`. */
export interface Alert {
  what: 'problem' | 'resolved'
  /** The same for a problem and its end, and when it is posted again because the answer was lost. */
  id: string
  kind: string
  type: string
  nickname: string
  node: string
  /** Unix seconds at which it was first seen, by Redis's clock. */
  since: number
  message: string
  /** The namespace. */
  fleet: string
}

export interface AlertPost extends Alert {
  list?: Alert[]
}

const TIMEOUT_MS = 5000
/** Waits between the tries. */
const PAUSES_MS = [1000, 2000, 4000, 8000]

/**
 * Posts to the receiver, again after a while where that fails, five times in all. Never rejects.
 * @param url may hold a secret: only its host is ever logged
 * @returns whether the receiver has taken it
 */
export async function postAlert(url: string, alert: AlertPost, log: Logger, signal: AbortSignal): Promise<boolean> {
  for (let tried = 0; ; tried++) {
    const refusal = await attempt(url, alert, signal)
    if (refusal === undefined) return true
    const pauseMs = PAUSES_MS[tried]
    const about = { receiver: new URL(url).host, reason: refusal }
    if (signal.aborted || pauseMs === undefined) {
      log.error(about, `an alert could not be told, and is given up: ${alert.message}`)
      return false
    }
    log.warn(about, `an alert could not be told; trying again in ${pauseMs / 1000} s`)
    await sleep(pauseMs, undefined, { signal }).catch(() => {}) // aborted
  }
}

/** @returns why it was not taken */
async function attempt(url: string, alert: AlertPost, signal: AbortSignal): Promise<string | undefined> {
  try {
    const target = new URL(url)
    const { username, password } = target
    target.username = target.password = '' // fetch refuses them in a URL
    const basic = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')
    const response = await fetch(target, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(username && { authorization: `Basic ${basic}` }) },
      body: JSON.stringify(alert),
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
    await response.body?.cancel()
    return response.ok ? undefined : `it answered ${response.status}`
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    return withoutPassword(messageOf(cause)).replaceAll(url, 'the URL')
  }
}
