import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { Settings } from '../config/settings.js'
import { CONTRACT_VERSION } from '../contract.js'
import { HysasError, messageOf } from '../errors.js'
import { type NodeEntry, readNodes } from '../fleet/nodes.js'
import { createOutbox, recordEvent } from '../fleet/outbox.js'
import { createQueues } from '../fleet/queues.js'
import { reconcile } from '../fleet/reconcile.js'
import { type Logger, withoutPassword } from '../log.js'
import { followRedisClock } from '../redis/clock.js'
import { checkServer, connectRedis, ready } from '../redis/connect.js'
import { COMMAND_QUEUE, type Names, namesOf } from '../redis/names.js'
import { openStore } from '../store/store.js'
import type { EventStore, StoredEvent } from '../store/types.js'
import { createWriter } from '../store/writer.js'
import { again } from './again.js'
import { createAlerts } from './alerts.js'
import { createCatalog } from './catalog.js'
import { createChildren } from './children.js'
import { createDesk } from './desk.js'
import { createFleetWatch, type News } from './fleet-watch.js'
import { createHealth } from './health.js'
import { createHost, type Host } from './host.js'
import { leaveWithoutRedis } from './leave.js'
import { createLogKeeper } from './logs.js'
import { offersOf } from './offers.js'
import { builtFile, ownPackage } from './package-root.js'
import { checkParams } from './params.js'
import { createPresence } from './presence.js'
import { createReleasers } from './releasers.js'
import { restoreFleet } from './restore.js'
import { PRUNE_MS, pruneEvents, pruneLogs } from './retention.js'
import { fairShare } from './share.js'
import { claimStore, storeOptionsOf } from './store-place.js'
import { ensureSystem } from './system.js'
import { readWake } from './wake.js'

export interface NodeOptions {
  settings: Settings & { redisUrl: string }
  log: Logger
}

/** How a node ends: its workers go to other nodes, or (the whole fleet is shut down) wait for the next. */
export type StopHow = 'handover' | 'shutdown'

/** One `hysas up` process: hosts workers, takes commands, tells what it has. */
export interface HysasNode {
  readonly name: string
  readonly redis: Redis
  readonly names: Names
  /** True while Redis answers. */
  isReady(): boolean
  host(): Host
  openStore(): Promise<EventStore>
  types(): readonly string[]
  broken(): Record<string, string>
  /** Told to others, as the address of its page. */
  setUrl(url: string): void
  /** Joins the fleet. @throws HysasError NO_REDIS, REDIS_AUTH, REDIS_OLD, REDIS_EVICTS, NODE_NAME_TAKEN, INCOMPATIBLE, SECOND_HOST_SQLITE, OTHER_DATABASE */
  start(): Promise<void>
  /** May be called twice or at once. */
  stop(how?: StopHow): Promise<void>
  /** Resolves with how it ended, once all is released. */
  readonly stopped: Promise<StopHow>
  /** Why it could not stay up, where nobody told it to end: NODE_NAME_TAKEN. */
  readonly failure: HysasError | undefined
}

const BEAT_MS = 1000
/** Changes of the fleet that come within this time are read together. */
const READ_MS = 100
/** Others are told that it ends, if that can be done so soon. */
const TELL_MS = 500
/** Queues that must work for anything else to. */
const SYSTEM = ['Monitor', 'Process', COMMAND_QUEUE]

export function createNode({ settings, log }: NodeOptions): HysasNode {
  const names = namesOf(settings.namespace)
  const shown = withoutPassword(settings.redisUrl)
  const releasers = createReleasers(log)
  const redis = connectRedis(settings.redisUrl, 'node', settings.node)
  let url = ''
  let host: Host | undefined
  const presence = createPresence({
    redis,
    names,
    name: settings.node,
    capacity: settings.capacity,
    now: () => ({
      workers: host?.hosted() ?? 0,
      types: JSON.stringify(offersOf(catalog.all())),
      url,
      draining: draining ? 1 : 0,
      problems: JSON.stringify(health.problems()),
      problems_since: JSON.stringify(health.since()),
    }),
  })
  let nodes: NodeEntry[] = []
  let stopping: Promise<void> | undefined
  let starting: Promise<void> | undefined
  let draining = false
  let failure: HysasError | undefined
  let reading: NodeJS.Timeout | undefined
  let resolveStopped: (how: StopHow) => void = () => {}
  const stopped = new Promise<StopHow>((resolve) => {
    resolveStopped = resolve
  })

  const fleet = createFleetWatch(redis, names)
  /** What `refresh` has found since the last turn that acted on it. */
  let news: News = { changed: true }
  const storeOptions = storeOptionsOf(settings)
  const recordNow = (event: Partial<StoredEvent> & { kind: string }) =>
    recordEvent(redis, names, { node: presence.name, ...event })
  const record = (event: Partial<StoredEvent> & { kind: string }) => {
    recordNow(event).catch((error: unknown) => log.warn({ err: messageOf(error) }, 'an event was not recorded'))
  }

  const health = createHealth({ redis, log, record: recordNow })

  const catalog = createCatalog({
    folders: settings.processors,
    builtinFolder: join(ownPackage().root, 'processors'),
    outDir: join(settings.dataDir, 'bundles'),
    log,
    onChange: (type) => void typesChanged(type),
  })

  async function start(): Promise<void> {
    releasers.add(() => redis.disconnect())
    await ready(redis, settings.redisUrl, settings.redisSource)
    await checkServer(redis, shown)
    const clock = await followRedisClock(redis)
    releasers.add(() => clock.release())
    await checkContract()
    storeOptions.sqliteFile = await claimStore(redis, names, settings, storeOptions.sqliteFile)
    await presence.takeName()
    releasers.add(() => presence.remove())
    const { name } = presence
    log.setBindings({ node: name })
    // from now on: to start takes longer than a node may be silent, where much is to be compiled
    every(BEAT_MS, 'heartbeat', () => health.wrote(beat()))

    releasers.add(() => catalog.close())
    await catalog.start()
    if (stopping) throw new HysasError('INTERRUPTED', { signal: 'its end' })
    const keeping = { dir: join(settings.dataDir, 'logs'), redis, names, log }
    const logs = createLogKeeper(keeping)
    releasers.add(() => logs.close())
    const writer = createWriter({
      store: () => openStore(storeOptions),
      source: createOutbox(redis, names),
      log,
      onState: ({ lastError }) => health.stored(lastError),
    })
    releasers.add(() => writer.stop())
    writer.start()
    const { redisUrl, namespace, databases, logLevel } = settings
    const children = createChildren({
      entry: builtFile('sandbox/main.cjs'),
      config: { hysas: 'config', redisUrl, namespace, node: name, databases, logLevel },
      onBlocking: (blocking, culprit, pid) => host?.blocked(blocking, culprit, pid),
      onLine: (stream, line) => log.info({ stream }, line),
    })
    releasers.add(() => children.close())
    const queues = createQueues(redis, names)
    releasers.add(() => queues.close())
    const { capacity } = settings
    const mine = createHost({
      node: name,
      capacity,
      redis,
      names,
      queues,
      catalog,
      children,
      log,
      record,
      share: () => fairShare({ name, capacity, types: types(), draining }, nodes, fleet.counts()),
      onTaken: fleet.take,
      onLine: (run, stream, line) =>
        logs.line(
          { type: run.type, nickname: run.nickname, ...(run.claimed && { epoch: run.claimed.epoch }) },
          stream,
          line,
        ),
    })
    host = mine
    releasers.add(() => mine.close())
    children.refill()

    await beat()
    health.look()
    const subscriber = connectRedis(redisUrl, 'subscriber', name)
    releasers.add(() => subscriber.disconnect())
    subscriber.on('message', (channel: string, raw: string) => channel === names.wake && wake(raw))
    await subscriber.subscribe(names.wake)
    if (settings.alertUrl) await startAlerts(settings.alertUrl, subscriber)
    await redis.publish(names.wake, JSON.stringify({ what: 'node', node: name }))
    const context = { redis, names, queues, checkParams, nodes: liveNodes, onAdmitted: mine.admitted, onJob: mine.look }
    const desk = createDesk({ ...context, node: name, subscriber, commandToken: settings.commandToken, log, record })
    releasers.add(() => desk.close())
    await ensureSystem(context, settings)
    await refresh()
    mine.setTypes(types())
    await desk.start()
    every(1000, 'health', async () => health.look())
    every(1000, 'clock', clock.sync)
    every(1000, 'locks', mine.keepLocks)
    every(1000, 'children', async () => mine.tend()) // also while the others wait for a Redis that is away
    every(1000, 'fleet', async () => {
      await refresh()
      const { changed, lost, older } = news
      news = { changed: false }
      if (lost) {
        const restoring = { redis, names, queues, catalog, log, runs: mine.runs, look: mine.look }
        await dataLost(() => restoreFleet(restoring, lost), older).catch((error: unknown) => {
          // this node may be the only one that knows the fleet
          news = joined({ changed: true, lost, ...(older && { older }) }, news)
          log.error(
            { err: messageOf(error) },
            'Redis has lost its data, and the fleet is not put back yet; trying again',
          )
        })
      }
      await mine.check(changed)
    })
    every(750, 'stalled jobs', async () => {
      await lookForLost(mine)
      await mine.freeStalled()
    })
    every(PRUNE_MS, 'old events', () => pruneEvents(() => openStore(storeOptions), settings.keepDays, log))
    every(PRUNE_MS, 'old logs', () => pruneLogs(keeping, settings.keepDays))
    // Monitor reconciles all else; what is done to its own queue, and to that of the commands, only a node can undo
    every(3000, 'system queues', () =>
      reconcile({ redis, names, queues, nodes, record: recordNow, log, types: SYSTEM }),
    )
    record({ kind: 'node', message: `node ${name} is up`, data: { host: hostname(), pid: process.pid } })
  }

  async function startAlerts(url: string, subscriber: Redis): Promise<void> {
    const alerts = createAlerts({ redis, names, token: presence.token, url, log, problems: health.problems })
    releasers.add(() => alerts.close())
    subscriber.on('message', (channel: string, raw: string) => channel === names.eventsChannel && alerts.heard(raw))
    await subscriber.subscribe(names.eventsChannel)
    every(1000, 'alerts', alerts.look)
  }

  async function stop(how: StopHow): Promise<void> {
    const leaving = leaveWithoutRedis(redis, health.isAnswered)
    if (!host) await catalog.close() // what takes longest in a start
    await starting?.catch(() => {})
    draining = true
    releasers.add(() => clearTimeout(reading))
    if (host) record({ kind: 'node', message: `node ${presence.name} ends (${how})` }) // else it has never been one
    await Promise.race([beat().catch(() => {}), delay(TELL_MS, undefined, { ref: false })])
    await host?.drain(how).catch((error: unknown) => log.warn({ err: messageOf(error) }, 'not all ended in order'))
    await releasers.releaseAll()
    leaving.release()
    resolveStopped(how)
  }

  function every(ms: number, what: string, work: () => Promise<unknown>): void {
    releasers.add(again(log, ms, what, work))
  }

  async function beat(): Promise<void> {
    try {
      if (await presence.beat()) void node.stop('shutdown')
    } catch (error) {
      if (!(error instanceof HysasError)) throw error
      if (stopping) return
      // it was frozen, or cut off; under one name two would be taken for one, and each for all that there is
      failure = error
      log.fatal({ code: error.code }, `this node was not heard of for a while, and ends: ${error.message}`)
      void node.stop('handover')
    }
  }

  async function checkContract(): Promise<void> {
    await redis.set(names.contract, CONTRACT_VERSION, 'NX')
    const theirs = await redis.get(names.contract)
    if (Number(theirs) !== CONTRACT_VERSION) {
      throw new HysasError('INCOMPATIBLE', { theirs: theirs ?? '', ours: CONTRACT_VERSION })
    }
  }

  const types = (): string[] => catalog.all().flatMap(({ type, bundle }) => (bundle ? [type] : []))

  async function typesChanged(type: string): Promise<void> {
    if (!host || draining) return
    host.setTypes(types())
    await beat().catch(() => {})
    await redis.publish(names.wake, JSON.stringify({ what: 'types', node: presence.name, type })).catch(() => 0)
  }

  async function refresh(): Promise<void> {
    nodes = await readNodes(redis, names)
    const found = await fleet.refresh()
    news = joined(news, found) // several may be under way: what there is only now counts
  }

  /** What a node leaves behind that is gone is to be taken at once: all of it, and not by the share that was. */
  async function lookForLost(mine: Host): Promise<void> {
    if (nodes.every(({ name }) => name === presence.name)) return
    const before = nodes
    nodes = await readNodes(redis, names)
    const gone = before.some(({ name }) => !nodes.some((node) => node.name === name))
    if (gone) for (const type of types()) mine.look(type)
  }

  /** Redis has come back empty, or with older data: the nodes are all that knows the fleet. */
  async function dataLost(restore: () => Promise<number>, older = false): Promise<void> {
    await redis.set(names.contract, CONTRACT_VERSION, 'NX')
    await claimStore(redis, names, settings, storeOptions.sqliteFile, true)
    const restored = await restore()
    const what = older ? 'Redis came back with older data, and the last commands may be undone' : 'Redis lost its data'
    const message = `${what}; ${presence.name} put ${restored} workers back`
    record({ kind: 'data_lost', severity: 'critical', message, data: { restored } })
  }

  /** For the desk: what the others have may be a second old, unless `fresh`; what this node has never is. */
  async function liveNodes(fresh: boolean): Promise<NodeEntry[]> {
    if (fresh || nodes.length === 0) nodes = await readNodes(redis, names)
    return nodes.map((entry) => (entry.name === presence.name ? { ...entry, offered: offersOf(catalog.all()) } : entry))
  }

  function wake(raw: string): void {
    const message = readWake(raw)
    const { what } = message
    if (what === 'shutdown') void beat().catch(() => {})
    // at once, and before its job is told of: by a share that is a second old the first node would take what is the second's
    fleet.hear(message)
    if (what === 'node' || what === 'types') void refresh().catch(() => {})
    else if (message.version !== undefined) readSoon()
    host?.heard(message)
  }

  /** What was only heard of can not be put back, should Redis lose it: it is read, together with what comes meanwhile. */
  function readSoon(): void {
    reading ??= setTimeout(() => {
      reading = undefined
      void refresh().catch(() => {})
    }, READ_MS)
  }

  const node: HysasNode = {
    get name() {
      return presence.name
    },
    redis,
    names,
    stopped,
    get failure() {
      return failure
    },
    isReady: () => redis.status === 'ready' && !draining && health.isWritable(),
    host() {
      if (!host) throw new HysasError('INTERNAL', { reason: 'the node has not been started' })
      return host
    },
    openStore: () => openStore(storeOptions),
    types,
    broken: () => Object.fromEntries(catalog.all().flatMap(({ type, error }) => (error ? [[type, error]] : []))),
    setUrl(value) {
      url = value
      void beat().catch(() => {})
    },
    async start() {
      starting ??= start()
      try {
        await starting
      } catch (error) {
        await node.stop('handover')
        throw error
      }
    },
    stop(how = 'handover') {
      stopping ??= stop(how)
      return stopping
    },
  }
  return node
}

/** What was found and not acted on yet, with what has been found since. */
function joined(before: News, now: News): News {
  const lost = before.lost && now.lost ? [...before.lost, ...now.lost] : (before.lost ?? now.lost)
  const older = before.older ?? now.older
  return { changed: before.changed || now.changed, ...(lost && { lost }), ...(older && { older }) }
}
