import { join } from 'node:path'
import { afterAll } from 'vitest'
import { type Client, createClient } from '../../src/client.js'
import { temporaryFolder } from './folder.js'
import { type Running, run } from './process.js'
import { redisUrl } from './redis.js'
import { until } from './until.js'

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js')
const running = new Set<{ stop(): Promise<unknown> }>()
const clients = new Set<Client>()

afterAll(async () => {
  await Promise.all([...clients].map((client) => client.close()))
  await Promise.all([...running].map((node) => node.stop()))
})

export interface TestNode extends Running {
  name: string
  folder: string
}

export interface NodeOptions {
  namespace: string
  name?: string
  /** Of the node's data; a new one by default. */
  folder?: string
  processors?: string[]
  env?: Record<string, string>
  args?: string[]
  url?: string
  /** Program and arguments to start it by, for example into a network namespace. */
  via?: readonly string[]
}

let made = 0

/** A real `hysas up` without page on the run's Redis; resolves when it is up. Ended after the file's last test. */
export async function startNode(options: NodeOptions): Promise<TestNode> {
  const {
    namespace,
    name = `n${process.pid}-${++made}`,
    folder = temporaryFolder('hysas-node'),
    url = redisUrl(),
  } = options
  const processors = (options.processors ?? []).flatMap((one) => ['--processors', one])
  const command = [process.execPath, MAIN, 'up', '--name', name, ...(options.args ?? ['--no-web']), ...processors]
  const [program = '', ...args] = [...(options.via ?? []), ...command]
  const child = run(program, args, {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      TMPDIR: process.env.TMPDIR,
      HYSAS_REDIS_URL: url,
      HYSAS_NAMESPACE: namespace,
      HYSAS_DATA_DIR: join(folder, '.hysas'),
      ...markOf(),
      ...options.env,
    },
  })
  const node = { ...child, name, folder }
  running.add(node)
  let ended = false
  void child.exited.then(() => {
    ended = true
  })
  await until(() => child.output().includes('is up.') || ended, {
    timeoutMs: 30_000,
    what: `node ${name} up: ${child.output()}`,
  })
  if (ended) throw new Error(`the node ended: ${child.output()}`)
  return node
}

/** So that a process that a node leaves behind is found at the end of the run. */
function markOf(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([key, value]) =>
      key.startsWith('HYSAS_TEST_') && value ? [[key, value]] : [],
    ),
  )
}

/** A client of a namespace, closed after the file's last test. */
export async function clientOf(namespace: string, url = redisUrl()): Promise<Client> {
  const client = await createClient({ redisUrl: url, namespace })
  clients.add(client)
  return client
}
