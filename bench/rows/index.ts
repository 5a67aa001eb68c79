import type { Row } from '../lib/types.js'
import cli from './cli.js'
import events from './events.js'
import flow from './flow.js'
import idleFleet from './idle-fleet.js'
import latency from './latency.js'
import memory from './memory.js'
import nodeKilled from './node-killed.js'
import publish from './publish.js'
import redisCalls from './redis-calls.js'
import start from './start.js'
import start100 from './start-100.js'
import start100Shared from './start-100-shared.js'
import startShared from './start-shared.js'
import stop from './stop.js'
import ticks from './ticks.js'
import workerKilled from './worker-killed.js'

/** All rows, in the order of their numbers. */
export const rows: readonly Row[] = [
  start,
  startShared,
  start100,
  start100Shared,
  stop,
  memory,
  idleFleet,
  publish,
  flow,
  latency,
  nodeKilled,
  workerKilled,
  redisCalls,
  events,
  ticks,
  cli,
].sort((a, b) => a.number - b.number)
