import type { Delivery } from '../redis/delivery.js'
import type { Tuned } from './source.js'

export type Deliver = (delivery: Delivery) => void

/** What one worker is told of the connection over which it hears. */
export interface SubscriberEvents {
  /** The connection was lost: what is published until it is back is missed. */
  onCut: () => void
  onBack: () => void
  /** So many messages of each channel that it hears never came. */
  onLost: (lost: ReadonlyMap<string, number>) => void
}

/** All that one worker hears. */
export interface Subscriber {
  /**
   * Resolves when Redis has confirmed it. A message that several of them match is delivered once to each `deliver`.
   * @param counted whether workers publish there, so that what is lost can be counted
   * @returns what ends it again
   */
  add(tuned: Tuned, deliver: Deliver, counted?: boolean): Promise<() => Promise<void>>
  /** Ends all; nothing is delivered any more. */
  close(): void
}
