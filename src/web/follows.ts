import { type Request, type Response, Router } from 'express'
import type { z } from 'zod'
import type { Client, LogLine } from '../client.js'
import type { Log } from '../contract.js'
import { HysasError, messageOf } from '../errors.js'
import { type Names, namesOf } from '../redis/names.js'
import { checked } from './answer.js'
import * as s from './schemas.js'
import { Shared } from './shared.js'
import { atMostEvery } from './soon.js'
import { EVENT_STREAM, frameOf } from './stream.js'
import { type Tapped, tapOf } from './tap.js'
import type { Role } from './token.js'

/** A stream of its own, beside that of the fleet: for who looks at one worker or one channel. */
export interface Follow {
  path: string
  role: Role
  summary: string
  params?: z.ZodObject
  query?: z.ZodObject
}

export const FOLLOWS = {
  logs: {
    path: '/workers/{nickname}/logs/stream',
    role: 'viewer',
    summary:
      'Server-sent events: the last lines of its log as `lines`, then further ones as they come; `dropped` says how many are missing, of any level.',
    params: s.ofNickname,
    query: s.followLogQuery,
  },
  tap: {
    path: '/tap',
    role: 'viewer',
    summary:
      'Server-sent events: the messages of a channel of the fleet as `messages`, a sample where it is fast; `dropped` says how many a slow reader has missed.',
    query: s.tapQuery,
  },
} as const satisfies Record<string, Follow>

/** Lines with which the log begins, and most of it that come together. */
const LINES = 300
const TOGETHER = 500
const PING_MS = 3_000
/** A page that has read nothing for so many pings is gone: its place is another's. */
const MOST_STUCK = 20
/** Bytes that may wait for a page; what comes on top waits before it, or is left out and counted. */
const MAX_WAITING = 200_000
/** ms for which the channels of the fleet are not read again. */
const CHANNELS_MS = 1_000
/** Streams of this kind that may be open at once. */
const MOST_OPEN = 200

/** The streams that pages open for a while: a worker's log, a tap on a channel. Any number of pages shares one source. */
export function followsOf({ client, namespace, log }: { client: Client; namespace: string; log: Log }) {
  const names = namesOf(namespace)
  const taps = new Shared<Tapped>()
  const open = new Set<Response>()
  const channels = atMostEvery(CHANNELS_MS, () => channelsOf(client))
  const router = Router({ caseSensitive: true })

  const begin = (req: Request, res: Response) => {
    if (open.size >= MOST_OPEN) throw new HysasError('RATE_LIMITED', { seconds: 10 })
    res.set(EVENT_STREAM).flushHeaders()
    if (req.method === 'HEAD') res.end()
    open.add(res)
    let stuck = 0
    const ping = setInterval(() => {
      if (res.writableEnded) return
      stuck = res.writableLength > 0 ? stuck + 1 : 0
      if (stuck > MOST_STUCK) res.destroy()
      else if (res.writableLength < MAX_WAITING) res.write('event: ping\ndata: {}\n\n')
    }, PING_MS)
    res.on('error', () => {}) // `close` comes, too
    res.on('close', () => {
      clearInterval(ping)
      open.delete(res)
    })
  }
  const send = (res: Response, what: string, data: unknown) => {
    if (!res.writableEnded) res.write(frameOf(what, data))
  }
  const failed = (res: Response) => (error: unknown) => {
    log.debug({ reason: messageOf(error) }, 'what a page follows was interrupted')
    res.end()
    setTimeout(() => res.destroy(), 1000).unref() // one that does not read would keep its place
  }

  router.get(FOLLOWS.logs.path.replace('{nickname}', ':nickname'), async (req, res) => {
    const { nickname } = checked(FOLLOWS.logs.params, 'path', req.params)
    const { level } = checked(FOLLOWS.logs.query, 'query', { ...req.query })
    // of a level all that there are: the rare ones may lie far back, and what follows begins after the last of any
    const known = await client.logs(nickname, level ? {} : { limit: LINES })
    if (res.closed) return
    begin(req, res)
    send(res, 'lines', level ? known.filter((line) => isAtLeast(line.level, level)).slice(-LINES) : known)
    const end = new AbortController()
    res.on('close', () => end.abort())
    // the client reads a log once, however many follow it
    const group = grouped<LogLine>((lines) => send(res, 'lines', lines))
    const dropped = (lines: number) => {
      group.tell()
      send(res, 'dropped', { dropped: lines })
    }
    const of = { signal: end.signal, dropped, ...after(known.at(-1)), ...(level && { level }) }
    const follow = async () => {
      for await (const line of client.followLogs(nickname, of)) {
        group.add(line)
        // what comes meanwhile waits with the client, which counts what it can not keep
        if (isFull(res)) await room(res)
      }
    }
    follow().then(() => res.end(), failed(res))
  })

  router.get(FOLLOWS.tap.path, async (req, res) => {
    const { channel } = checked(FOLLOWS.tap.query, 'query', req.query)
    await refuseOthers(names, channel, channels)
    if (res.closed) return
    let missed = 0
    let cut = false
    const tellMissed = () => {
      if (missed) send(res, 'dropped', { dropped: missed })
      missed = 0
    }
    const tell = (found: Tapped) => {
      if (isFull(res)) {
        missed += found.seen + (found.missed ?? 0)
        cut ||= found.missed === null
      } else {
        tellMissed()
        send(res, 'messages', cut ? { ...found, missed: null } : found)
        cut = false
      }
    }
    const leave = taps.join(channel, tapOf(client, channel), tell, failed(res))
    res.on('drain', tellMissed)
    res.on('close', leave)
    begin(req, res)
  })

  return {
    router,
    close() {
      for (const res of open) res.destroy()
      taps.close()
    },
  }
}

/** From the first line where there is none yet. */
const after = (line: LogLine | undefined) => ({ after: line ?? '0-0' })

const isAtLeast = (level: LogLine['level'], least: LogLine['level']): boolean =>
  s.level.options.indexOf(level) >= s.level.options.indexOf(least)

const isFull = (res: Response): boolean => res.writableLength >= MAX_WAITING

/** Resolves when a page has read what waits for it, or is gone. */
function room(res: Response): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      res.off('drain', done).off('close', done)
      resolve()
    }
    res.on('drain', done).on('close', done)
    if (res.closed) done()
  })
}

/** What comes in one turn of the event loop is told together, up to a number. */
function grouped<T>(tellAll: (group: T[]) => void) {
  let group: T[] = []
  const tell = () => {
    const told = group
    group = []
    if (told.length) tellAll(told)
  }
  const add = (item: T) => {
    const count = group.push(item)
    if (count === 1) setImmediate(tell)
    else if (count >= TOGETHER) tell()
  }
  return { add, tell }
}

/**
 * Only what workers publish, and what they hear: Redis may carry other people's messages, and a channel of commands or
 * of heartbeats carries tokens. @throws HysasError FORBIDDEN
 */
async function refuseOthers(names: Names, channel: string, known: () => Promise<ReadonlySet<string>>): Promise<void> {
  if (names.parsePub(channel)) return
  const isOurs =
    channel === names.namespace ||
    (/^[.:]/.test(channel.slice(names.namespace.length)) && channel.startsWith(names.namespace))
  if (!isOurs && (await known()).has(channel)) return
  throw new HysasError('FORBIDDEN', { reason: 'only channels that a worker publishes to or hears can be tapped' })
}

/** All channels of the fleet. */
async function channelsOf(client: Client): Promise<Set<string>> {
  const workers = await client.list()
  const flows = await client.flows(workers)
  return new Set([...flows.map(({ channel }) => channel), ...workers.flatMap((one) => Object.keys(one.published_to))])
}
