import type { Context, Log, Message, Source, Subscription } from '../contract.js'
import { HysasError } from '../errors.js'
import type { Names } from '../redis/names.js'
import type { Ending } from './ending.js'
import type { Session } from './session.js'
import { sleep } from './sleep.js'

/** What the hooks of a processor get. */
export function createContext(of: {
  session: Session
  names: Names
  params: Record<string, unknown>
  ending: Ending
  subscribe: (source: Source, handler?: (message: Message) => unknown) => Promise<Subscription>
}): Context {
  const { session, ending } = of
  const { type, nickname } = session.run
  const ownChannel = of.names.pub(type, nickname)
  return {
    namespace: of.names.namespace,
    type,
    nickname,
    params: of.params,
    get signal() {
      return ending.signal
    },
    epoch: session.epoch,
    get log(): Log {
      return session.log
    },
    get events() {
      return session.events
    },
    get redis() {
      return session.redis()
    },
    sleep: (ms) => sleep(ms, ending.signal),
    publish: (data, { channel = ownChannel } = {}) => session.publisher.publish(data, checkChannel(channel)),
    drained: () => session.publisher.drained(),
    async subscribe(source, handler) {
      session.fence.check()
      return of.subscribe(source, handler)
    },
    database: async (name) => session.databases.get(name),
    progress: (value) => session.progress.set(value),
  }
}

function checkChannel(channel: unknown): string {
  if (typeof channel === 'string' && channel !== '' && channel.length <= 1024) return channel
  throw new HysasError('BAD_ARGS', {
    operation: 'publish',
    problems: 'channel: a text of 1 to 1024 characters is wanted',
  })
}
