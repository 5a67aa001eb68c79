import type { Blocking, DyingMessage, PulseMessage, RunStats } from '../protocol.js'
import type { Child } from './child.js'
import { VirtualChild } from './virtual-child.js'
import type { EndedBy, OutputStream } from './worker-child.js'

/** Messages in one: enough to be quick, few enough for the first to be read soon. */
const AT_ONCE = 200
const STREAMS = { l: 'log', o: 'stdout', e: 'stderr' } as const

export interface CommonChild {
  readonly pid: number
  readonly ready: Promise<void>
  /** When it last gave a sign that its event loop turns, by the monotonic clock, ms. */
  readonly heardAt: number
  /** False once it is being killed, or has ended. */
  readonly isSound: boolean
  /** Bundles that one of its workers has loaded. */
  readonly loaded: Set<string>
  size(): number
  /** One more worker. */
  lodge(): VirtualChild
  send(n: number, message: object): Promise<void>
  forget(n: number): void
  /** Ends the process, and with it all its workers. */
  kill(why: string): void
}

/** One child process that hosts many workers, each by a virtual child. */
export function createCommonChild(
  child: Child,
  of: {
    /** A worker kept the event loop from turning for a while. */
    onBlocking: (blocking: Blocking, culprit: VirtualChild | undefined, pid: number) => void
    /** A line that none of its workers wrote. */
    onLine: (stream: OutputStream, line: string) => void
    onEmpty: (common: CommonChild) => void
  },
): CommonChild {
  const inside = new Map<number, VirtualChild>()
  /** Of all that have code in there, also where the node has given them up. */
  const nicknames = new Map<number, string>()
  let last = 0
  let outbox: [number, object][] = []
  let flushed: Promise<void> | undefined
  /** By the monotonic clock, ms. */
  let heardAt = performance.now()
  let blocking: (Blocking & { at: number }) | undefined
  let killedFor = ''
  let dying: DyingMessage | undefined
  let fatal = ''

  const flush = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve))
    flushed = undefined
    const messages = outbox
    outbox = []
    const sent: Promise<void>[] = []
    for (let i = 0; i < messages.length; i += AT_ONCE) {
      sent.push(child.send({ hysas: 'many', of: messages.slice(i, i + AT_ONCE) }))
    }
    await Promise.all(sent)
  }

  const pulse = ({ memory_mb, loop_delay_ms, stats }: PulseMessage) => {
    for (const [n, published, received, errors, lost, status] of stats) {
      const numbers: RunStats = { published, received, errors, lost, status, memory_mb, loop_delay_ms }
      inside.get(n)?.onMessage({ hysas: 'stats', nickname: '', stats: numbers })
    }
  }

  child.onMessage = (message) => {
    heardAt = performance.now()
    if (message.hysas === 'pulse') pulse(message)
    if (message.hysas === 'dying') dying = message
    if (message.hysas !== 'many') return
    for (const [n, one] of message.of) {
      if ('hysas' in one && one.hysas === 'gone') nicknames.delete(n)
      const virtual = inside.get(n)
      if (!virtual) continue
      if ('hysas' in one && one.hysas === 'claimed') nicknames.set(n, one.nickname)
      if ('cmd' in one) virtual.emit('message', one)
      else if (one.hysas === 'gone') virtual.end(null, 'SIGKILL')
      else virtual.onMessage(one)
    }
  }

  child.onLine = (stream, line) => {
    const [, number = '', kind = '', text = ''] = stream === 'log' ? (/^(\d+) ([loeb]) (.*)$/s.exec(line) ?? []) : []
    if (kind === 'b') {
      blocking = { ...(JSON.parse(text) as Blocking), at: performance.now() }
      of.onBlocking(blocking, inside.get(blocking.n), child.pid)
    } else if (kind) inside.get(Number(number))?.onLine(STREAMS[kind as 'l' | 'o' | 'e'], text)
    else {
      if (stream === 'stderr' && line.startsWith('FATAL ERROR')) fatal ||= line
      of.onLine(stream, line)
    }
  }

  /** Whose code ran when its event loop stood still, if it was killed for that. */
  const culpritOf = (): Blocking | undefined =>
    killedFor && blocking && blocking.at > heardAt && nicknames.has(blocking.n) ? blocking : undefined

  /** Said of each of its workers, whoever's fault it was. */
  const whatHappened = (code: number | null, signal: NodeJS.Signals | null): string => {
    const how = signal ? `was ended by ${signal}` : `ended with exit code ${code}`
    const by = culpritOf() ? ` by ${nicknames.get(culpritOf()?.n ?? 0)}` : ''
    const why = dying?.message ?? (fatal || `${killedFor}${by}`)
    return `its process (${child.pid}), which it shared, ${how}${why && `: ${why}`}`
  }

  child.once('exit', (code, signal: NodeJS.Signals | null) => {
    const all = [...inside.values()]
    const culprit = culpritOf()
    const by: EndedBy = {
      message: whatHappened(code, signal),
      innocent: culprit !== undefined,
      culprit: false,
      together: all.length,
      ...(dying?.stack && { stack: dying.stack }),
    }
    for (const virtual of all) virtual.end(code, signal, virtual.n === culprit?.n ? guilty() : by)

    function guilty(): EndedBy {
      const message = `killed: ${killedFor}, and this worker's code was what ran`
      return { ...by, innocent: false, culprit: true, message, stack: `${message}\n${culprit?.stack ?? ''}` }
    }
  })

  void child.send({ hysas: 'common' })

  const common: CommonChild = {
    ready: child.ready,
    get pid() {
      return child.pid
    },
    get heardAt() {
      return heardAt
    },
    get isSound() {
      return !killedFor && !child.exited
    },
    loaded: new Set(),
    size: () => inside.size,
    lodge() {
      const virtual = new VirtualChild(common, ++last)
      inside.set(virtual.n, virtual)
      return virtual
    },
    send(n, message) {
      outbox.push([n, message])
      flushed ??= flush()
      return flushed
    },
    forget(n) {
      if (inside.delete(n) && inside.size === 0) of.onEmpty(common)
    },
    kill(why) {
      if (killedFor) return
      killedFor = why
      child.signal('SIGKILL')
    },
  }
  return common
}
