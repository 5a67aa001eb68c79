import { join } from 'node:path'
import { type Client, createClient } from '../../src/client.js'
import { type Names, namesOf } from '../../src/redis/names.js'
import { type Running, run } from '../../test/helpers/process.js'
import { until } from '../../test/helpers/until.js'
import { type Bench, ROOT } from './bench.js'

export const CLI = join(ROOT, 'dist/cli/main.js')

export interface Fleet {
  redisUrl: string
  names: Names
  client: Client
  /** The first node. */
  node: Running
  /** What a `hysas` of this fleet is given. */
  env: NodeJS.ProcessEnv
  folder: string
  /** Another node of the same fleet. */
  addNode(name: string): Promise<Running>
}

/** A real node (`hysas up`) from dist/ with these processors of bench/processors, on `redisUrl` or on a Redis of its own. */
export async function startFleet(
  bench: Bench,
  options: { processors: readonly string[]; redisUrl?: string; env?: Record<string, string>; args?: readonly string[] },
): Promise<Fleet> {
  const redisUrl = options.redisUrl ?? (await bench.redis()).url
  const names = namesOf(`B${Math.random().toString(36).slice(2, 8)}`)
  const processors = bench.processors(...options.processors)
  const folder = bench.folder()
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    HYSAS_REDIS_URL: redisUrl,
    HYSAS_NAMESPACE: names.namespace,
    HYSAS_DATA_DIR: join(folder, '.hysas'),
    ...options.env,
  }
  const addNode = async (name: string): Promise<Running> => {
    const args = ['up', '--no-web', '--name', name, '--processors', processors, ...(options.args ?? [])]
    const node = run(process.execPath, [CLI, ...args], { cwd: folder, env })
    bench.release(() => node.stop())
    let ended = false
    void node.exited.then(() => {
      ended = true
    })
    await until(() => ended || node.output().includes('is up.'), { timeoutMs: 30_000, what: 'the node is up' })
    if (ended) throw new Error(`the node ended: ${node.output()}`)
    return node
  }
  const node = await addNode('bench-1')
  const client = await createClient({ redisUrl, namespace: names.namespace })
  bench.release(() => client.close())
  // stopped first: a node that is ended with its workers wanted takes its time to hand them over
  bench.release(() => node.kill())
  return { redisUrl, names, client, node, env, folder, addNode }
}

/** A heartbeat as it was heard. */
export interface Beat {
  nickname: string
  status: string
  epoch: number
  node: string
  pid: number
  /** When it was heard, by performance.now(). */
  at: number
}

/** Hears all heartbeats of a fleet, and tells when a worker's status is first heard in a run after `epoch`. */
export async function hearFleet(bench: Bench, { redisUrl, names }: Pick<Fleet, 'redisUrl' | 'names'>) {
  const subscriber = bench.connect(redisUrl)
  const last = new Map<string, Beat>()
  const listeners = new Set<(beat: Beat) => void>()
  subscriber.on('pmessage', (_pattern: string, channel: string, raw: string) => {
    const at = performance.now()
    const nickname = names.parseInfo(channel)?.nickname
    if (!nickname) return
    const { status = '', epoch, node = '', pid } = JSON.parse(raw) as Record<string, string | undefined>
    const beat = { nickname, status, epoch: Number(epoch), node, pid: Number(pid), at }
    last.set(nickname, beat)
    for (const listener of listeners) listener(beat)
  })
  await subscriber.psubscribe(names.info('*', '*'))
  return {
    last,
    close: () => subscriber.disconnect(),
    on(listener: (beat: Beat) => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    /** Resolves with when each of the nicknames was heard as `started`, once all are; epochs above `after` only. */
    started(
      nicknames: readonly string[],
      { after = () => 0, timeoutMs = 60_000 }: { after?: (nickname: string) => number; timeoutMs?: number } = {},
    ): Promise<Map<string, number>> {
      const waiting = new Set(nicknames)
      const found = new Map<string, number>()
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          listeners.delete(listener)
          reject(new Error(`not started in ${timeoutMs / 1000} s: ${[...waiting].slice(0, 5).join(', ')} …`))
        }, timeoutMs)
        const listener = ({ nickname, status, epoch, at }: Beat) => {
          if (status !== 'started' || !(epoch > after(nickname)) || !waiting.delete(nickname)) return
          found.set(nickname, at)
          if (waiting.size) return
          clearTimeout(timer)
          listeners.delete(listener)
          resolve(found)
        }
        listeners.add(listener)
      })
    },
  }
}
