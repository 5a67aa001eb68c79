import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Redis } from 'ioredis'
import { nodeNameOf } from '../config/surroundings.js'
import { HysasError } from '../errors.js'
import { beatNode, removeNode } from '../redis/fleet-scripts.js'
import type { Names } from '../redis/names.js'
import { ownPackage } from './package-root.js'

export type Presence = ReturnType<typeof createPresence>

/** Of a node, as all see it. */
export interface PresenceOptions {
  redis: Redis
  names: Names
  /** As configured. */
  name: string
  capacity: number
  /** What changes while it lives. */
  now(): Record<string, string | number>
}

/** A node's entry in Redis: its name, which no other has, and its heartbeat. */
export function createPresence({ redis, names, name: configured, capacity, now }: PresenceOptions) {
  const token = randomUUID()
  const loopDelay = monitorEventLoopDelay({ resolution: 20 })
  let name = configured
  /** Unix seconds, Redis's clock. */
  let startedAt = 0

  const fields = (): Record<string, string | number> => ({
    host: hostname(),
    pid: process.pid,
    started_at: startedAt.toFixed(3),
    version: ownPackage().version,
    capacity,
    memory_mb: Math.round(process.memoryUsage.rss() / 1e5) / 10,
    loop_delay_ms: Math.round(loopDelay.percentile(99) / 1e5) / 10 || 0,
    ...now(),
  })

  async function taken(): Promise<HysasError> {
    const { host = '', pid = '' } = await redis.hgetall(names.node(name))
    return new HysasError('NODE_NAME_TAKEN', { name, host, pid })
  }

  return {
    token,

    get name() {
      return name
    },

    /**
     * Takes the configured name; where that is the host's own and taken, the host's own with the next number.
     * @throws HysasError NODE_NAME_TAKEN
     */
    async takeName(): Promise<void> {
      startedAt = Date.now() / 1000
      for (let n = 2; !(await beatNode(redis, names, name, token, fields())); n++) {
        if (configured !== nodeNameOf(hostname())) throw await taken()
        name = `${configured}-${n}`
      }
    },

    /**
     * @returns whether the fleet has been shut down since this node came up
     * @throws HysasError NODE_NAME_TAKEN: it was not heard of for so long that another has its name by now
     */
    async beat(): Promise<boolean> {
      if ((await beatNode(redis, names, name, token, fields())) === undefined) throw await taken()
      loopDelay.reset()
      return Number(await redis.get(names.shutdown)) > startedAt * 1000
    },

    remove: () => removeNode(redis, names, name, token),
  }
}
