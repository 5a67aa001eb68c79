import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../errors.js'

/**
 * Answers by which Redis says that it can not write for now: it is full, its disk is, it is a replica, it loads its
 * data, or a script keeps it busy. Nothing was carried out; the same command succeeds when that is over.
 */
const FOR_NOW = /(?:^|: |-)(OOM|MISCONF|READONLY|LOADING|MASTERDOWN|NOREPLICAS|BUSY|TRYAGAIN)\b/

export const REFUSED_PAUSE_MS = 200

export const isRefusedForNow = (error: unknown): boolean => FOR_NOW.test(messageOf(error))

/** Repeats a call while Redis can not write, until it can or `over` is true. Rejects with whatever else goes wrong. */
export async function whileRefused<T>(call: () => Promise<T>, over: () => boolean): Promise<T> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!isRefusedForNow(error) || over()) throw error
    }
    await sleep(REFUSED_PAUSE_MS)
  }
}
