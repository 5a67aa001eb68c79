import { collectAfterFlood } from '../after-flood.js'
import { CHILD_COMMAND, type ManyMessage, type PulseMessage, type RunStats, type ToVirtual } from '../protocol.js'
import { connectRedis } from '../redis/connect.js'
import { createCommonBeats } from './common-beats.js'
import { createCommonLog } from './common-log.js'
import { guardProcess } from './guard.js'
import type { Home, Outgoing } from './home.js'
import { createHost, type Host } from './host.js'
import { createHub } from './hub.js'
import { startWatchdog } from './watched.js'
import { as, asNobody, bind, type Inhabitant, whose } from './whose.js'
import { createYoungSpace } from './young-space.js'

/** Many virtual children in this process: each a host of its own, all over one connection and one timer. */
export interface Common {
  obey(messages: readonly [number, ToVirtual][]): void
  /** An error that nobody caught ends the run of whose code it is, alone. @returns false where that can't be told */
  blame(thrown: unknown, what: string): boolean
  /** SIGTERM: ends all runs. */
  terminate(): Promise<void>
}

const PULSE_MS = 1000

interface Resident extends Inhabitant {
  host: Host
  over: boolean
  stats?: RunStats
  /** What the node knows of `stats`. */
  told: string
}

export function createCommon(of: {
  home: Home
  pipe: { write(line: string): void }
  send: (message: ManyMessage | PulseMessage) => Promise<void>
  exit: (code?: number | string | null) => never
}): Common {
  const { send } = of
  const { redis, names, redisUrl, node, loopDelayMs } = of.home
  const log = createCommonLog(of.pipe)
  const inside = new Map<number, Resident>()
  let share = 0
  const home: Home = {
    ...of.home,
    hub: createHub({
      names,
      redis,
      connect: () => asNobody(() => connectRedis(redisUrl, 'subscriber', `${node}-${process.pid}`)),
    }),
    memoryMb: () => share,
    common: { beats: createCommonBeats({ redis, names }), bind },
  }
  const tell = gather(send)
  const watchdog = startWatchdog()
  const youngSpace = createYoungSpace()
  const noteStart = collectAfterFlood()

  const open = (n: number): Resident => {
    const one: Resident = { n, over: false, told: '', host: {} as Host }
    const sendOne = (message: Outgoing): Promise<void> => {
      if ('hysas' in message && message.hysas === 'stats') {
        one.stats = message.stats // told with the next pulse
        return Promise.resolve()
      }
      return one.over ? Promise.resolve() : tell(n, message)
    }
    one.host = createHost({ ...home, openLog: (base, level) => log.open(n, base, level) }, sendOne)
    inside.set(n, one)
    youngSpace.holdFor(inside.size)
    noteStart()
    return one
  }

  /** Its run is over, whatever it is at; the node takes it for dead. */
  const cut = (one: Resident) => {
    if (one.over) return
    one.over = true
    one.host.cut()
    inside.delete(one.n)
    youngSpace.holdFor(inside.size)
    void tell(one.n, { hysas: 'gone' })
  }

  const crash = (one: Resident, thrown: unknown, what: string) => {
    void one.host.crash(thrown, what)
    cut(one)
  }

  const give = (n: number, message: ToVirtual) => {
    const isFirst = 'cmd' in message && message.cmd === CHILD_COMMAND.init
    const one = inside.get(n) ?? (isFirst ? open(n) : undefined)
    if (!one) return // it has ended by itself meanwhile
    if (!('hysas' in message) || message.hysas === 'logLevel') as(one, () => void one.host.obey(message))
    else if (message.hysas === 'term') as(one, () => void one.host.terminate())
    else as(one, () => cut(one))
  }

  guardProcess({
    exit: of.exit,
    line: log.line,
    onExit: (one, thrown) => crash(one as Resident, thrown, 'It wanted to end the process.'),
  })

  setInterval(() => {
    share = Math.round((process.memoryUsage.rss() / 2 ** 20 / Math.max(1, inside.size)) * 100) / 100
    const loop_delay_ms = loopDelayMs()
    watchdog.suspect(loop_delay_ms)
    const stats: PulseMessage['stats'] = []
    for (const one of inside.values()) {
      if (!one.stats) continue
      const { published, received, errors, lost, status } = one.stats
      const text = `${published} ${received} ${errors} ${lost} ${status}`
      if (text === one.told) continue
      one.told = text
      stats.push([one.n, published, received, errors, lost, status])
    }
    void send({ hysas: 'pulse', memory_mb: share, loop_delay_ms, stats })
  }, PULSE_MS)

  return {
    obey(messages) {
      for (const [n, message] of messages) give(n, message)
    },
    blame(thrown, what) {
      const one = whose() as Resident | undefined
      if (!one) return false
      if (!one.over) crash(one, thrown, what) // else it has been answered for
      return true
    },
    async terminate() {
      await Promise.all([...inside.values()].map((one) => as(one, () => one.host.terminate())))
    },
  }
}

/** All that is said in one turn of the event loop goes to the node in one message. */
function gather(send: (message: ManyMessage) => Promise<void>) {
  let of: ManyMessage['of'] = []
  let sent: Promise<void> | undefined
  const sendSoon = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve))
    const batch = of
    of = []
    sent = undefined
    await send({ hysas: 'many', of: batch })
  }
  return (n: number, message: ManyMessage['of'][number][1]): Promise<void> => {
    of.push([n, message])
    sent ??= asNobody(sendSoon)
    return sent
  }
}
