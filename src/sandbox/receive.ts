import type { Context, Message } from '../contract.js'
import type { Delivery } from '../redis/delivery.js'
import { check } from './check.js'
import type { Handle } from './hearing.js'
import type { LongRunning } from './loading.js'
import { noteError, type RunState } from './state.js'
import { throttle } from './throttle.js'

export interface Receiver {
  /** Hands a message to `receive`; never throws or rejects. */
  handle: Handle
  /** The same for a handler given to `ctx.subscribe`. */
  guarded: (handler: (message: Message) => unknown) => Handle
}

/** Counts what is heard, checks it by the processor's schema, and survives or ends on errors as the processor says. */
export function createReceiver(of: {
  processor: Pick<LongRunning, 'receive' | 'messages' | 'onError'>
  ctx: () => Context
  state: RunState
  /** After the end was asked for, errors are most often what was awaited, cut short. */
  aborted: () => boolean
  /** Where an error ends the run. */
  end?: (thrown: unknown) => void
}): Receiver {
  const { processor, state } = of
  const problem = throttle(1000, (text, held) => {
    of.ctx().log.error(held ? { more: held } : {}, text)
  })

  const onError = (thrown: unknown) => {
    if (of.aborted()) return
    if (processor.onError === 'restart') return of.end?.(thrown)
    noteError(state, thrown)
    problem(`receive failed: ${state.errorMsg}`)
  }

  const refuse = (delivery: Delivery, problems: string) => {
    noteError(state, `a message from ${delivery.origin.channel} does not fit: ${problems}`)
    problem(state.errorMsg)
  }

  const calling = (handler: (message: Message) => unknown) => {
    return (message: Message) => {
      state.received++
      try {
        const returned = handler(message)
        if (returned instanceof Promise) return returned.catch(onError)
        return isThenable(returned) ? Promise.resolve(returned).catch(onError) : undefined
      } catch (thrown) {
        onError(thrown)
      }
    }
  }

  const guarded = (handler: (message: Message) => unknown): Handle => {
    const call = calling(handler)
    return (delivery) => call(delivery.message)
  }

  const receive = calling((message) => processor.receive?.(of.ctx(), message))

  const checked: Handle = async (delivery) => {
    try {
      const answer = await check(processor.messages, delivery.message.data)
      if (!answer.ok) return refuse(delivery, answer.problems)
      await receive(delivery.message.with(answer.value))
    } catch (thrown) {
      onError(thrown)
    }
  }

  return { guarded, handle: processor.messages ? checked : (delivery) => receive(delivery.message) }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
