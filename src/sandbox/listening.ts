import type { Context } from '../contract.js'
import { connectRedis, renameConnection } from '../redis/connect.js'
import { createHearing, type Hearing } from './hearing.js'
import type { Home } from './home.js'
import { createHub, type Hub } from './hub.js'
import type { LongRunning } from './loading.js'
import { createOperations } from './operations.js'
import { createReceiver } from './receive.js'
import type { Session } from './session.js'
import { noteBack, noteCut, noteDropped, noteLost } from './state.js'
import type { Deliver, Subscriber, SubscriberEvents } from './subscriber.js'
import { throttle } from './throttle.js'

/** How often a worker that drops messages says so, ms. */
const DROPS_MS = 10_000
/** Operations called at the same time; the further ones wait. */
const OPERATIONS_AT_ONCE = 64

export interface Listening {
  readonly hearing: Hearing
  /** Hears what every worker hears: its Command channel, and the channel for all. */
  tap(): Promise<void>
  /** Hears nothing any more. */
  close(): void
}

/** The ears of one worker: its subscriptions, what `receive` gets, and the operations on its Command channel. */
export function openListening(of: {
  home: Home
  session: Session
  /** What it hears with, where that is open already; it is closed with it. */
  hub?: Hub | undefined
  processor: Pick<LongRunning, 'receive' | 'messages' | 'concurrency' | 'receiving' | 'onError' | 'operations'>
  ctx: () => Context
  /** Is the end asked for? Then errors are most often what was awaited, cut short. */
  aborted: () => boolean
  end?: (thrown: unknown) => void
  onChange: () => void
}): Listening {
  const { home, session, processor, ctx } = of
  const { names, redis } = home
  const { state } = session
  const { type, nickname } = session.run
  const hub = home.hub ?? of.hub ?? ownHub(home, nickname)
  // who makes Redis wait has a connection for it: neither its neighbours nor its own operations are to wait, too
  const slowHub = processor.receiving?.whenFull === 'wait' ? ownHub(home, nickname) : hub
  /** Of its connections: what it misses begins with the first that is cut, and ends with the last that is back. */
  let cut = 0
  const events: SubscriberEvents = {
    onCut() {
      if (cut++ > 0) return
      noteCut(state, session.nowMs())
      session.log.warn('The connection to Redis was lost: what is published until it is back is missed.')
    },
    onBack() {
      if (cut > 0 && --cut === 0) noteBack(state, session.nowMs())
    },
    onLost(lost) {
      noteLost(state, lost)
      const by = Object.fromEntries([...lost].slice(0, 20))
      session.log.warn({ by }, `Messages that never came: ${[...lost.values()].reduce((sum, n) => sum + n, 0)}.`)
    },
  }
  const subscriber = own(hub.join(events), home)
  const sources = slowHub === hub ? subscriber : own(slowHub.join(events), home)
  const tellDrops = throttle(DROPS_MS, () => {
    const by = Object.fromEntries([...state.droppedBy].slice(0, 20))
    session.log.warn({ by }, `Messages that came faster than they were received, dropped so far: ${state.dropped}.`)
  })
  const { handle, guarded } = createReceiver({ ...of, state })
  const hearing = createHearing({
    names,
    subscriber,
    sources,
    receiving: processor.receiving,
    receive: processor.receive && { handle, concurrency: processor.concurrency ?? 1 },
    guarded,
    onDrop(channel) {
      noteDropped(state, channel)
      tellDrops('')
    },
    onFull: slowHub.pause,
    onChange: of.onChange,
  })
  const operations = createOperations({
    redis,
    names,
    ctx,
    state,
    hearing,
    operations: processor.operations ?? {},
    setLogLevel: session.setLogLevel,
  })
  return {
    hearing,
    async tap() {
      const command = hearing.tap(names.workerCommand(type, nickname), operations, OPERATIONS_AT_ONCE)
      await Promise.all([command, hearing.tapReceive(names.all)])
    },
    close() {
      subscriber.close()
      sources.close()
      if (slowHub !== hub) slowHub.close()
      if (hub !== home.hub) hub.close()
    },
  }
}

/** A worker's own connection to hear with. */
const ownHub = ({ names, redis, redisUrl }: Home, nickname: string): Hub =>
  createHub({ names, redis, connect: () => connectRedis(redisUrl, 'subscriber', nickname) })

/** The same, connected before it is known whose it will be: to connect takes longer than all else of a run's begin. */
export function openHub({ names, redis, redisUrl, node }: Home): { hub: Hub; rename(nickname: string): void } {
  const connection = connectRedis(redisUrl, 'subscriber', `${node}-${process.pid}`, { lazyConnect: true })
  const hub = createHub({ names, redis, connect: () => connection })
  hub.open()
  void connection.connect().catch(() => {}) // it goes on trying
  return { hub, rename: (nickname) => renameConnection(connection, 'subscriber', nickname) }
}

/** What comes over a connection that many share is each worker's own from here on. */
function own(subscriber: Subscriber, { common }: Home): Subscriber {
  if (!common) return subscriber
  return { ...subscriber, add: (tuned, deliver, counted) => subscriber.add(tuned, once(deliver, common.bind), counted) }
}

const bound = new WeakMap<Deliver, Deliver>()

/** The same for the same: the hub delivers a message once to each. */
function once(deliver: Deliver, bind: (deliver: Deliver) => Deliver): Deliver {
  const known = bound.get(deliver) ?? bind(deliver)
  bound.set(deliver, known)
  return known
}
