import { Redis } from 'ioredis'
import { removeFolder, temporaryFolder } from './folder.js'
import { findProgram, freePort, type Running, run } from './process.js'
import { until } from './until.js'

export interface RedisOptions {
  /** Keep data in an append-only file, so that it survives `kill` and `restart`. Default false. */
  appendonly?: boolean
  password?: string
  /** Further arguments, for example ['--maxmemory', '10mb']. */
  args?: readonly string[]
}

export interface RedisServer {
  url: string
  port: number
  /** Of the present process; it changes with `restart`. */
  readonly pid: number
  /** Ends it for good and removes its folder. */
  stop(): Promise<void>
  /** SIGKILL; `restart` brings it back. */
  kill(): Promise<void>
  /** Ends it in order (if it lives) and starts it again on the same port and folder. */
  restart(): Promise<void>
}

/** Starts a private Redis on a free loopback port with a folder of its own. */
export async function startRedisServer(options: RedisOptions = {}): Promise<RedisServer> {
  const program = findProgram('redis-server', 'valkey-server')
  if (!program) throw new Error('The tests need redis-server or valkey-server: `node scripts/setup.mjs` installs it.')
  const folder = temporaryFolder('hysas-redis')
  let port = await freePort()
  let running: Running
  for (let attempt = 1; ; attempt++) {
    running = launch(program, port, folder, options)
    if (await answers(running, port, options)) break
    if (attempt === 3) throw new Error(`redis-server does not start:\n${running.output()}`)
    port = await freePort()
  }
  const password = options.password ? `:${encodeURIComponent(options.password)}@` : ''
  return {
    url: `redis://${password}127.0.0.1:${port}`,
    port,
    get pid() {
      return running.pid
    },
    async stop() {
      await running.stop()
      removeFolder(folder)
    },
    kill: () => running.kill(),
    async restart() {
      await running.stop()
      running = launch(program, port, folder, options)
      if (!(await answers(running, port, options))) throw new Error(`Redis does not return:\n${running.output()}`)
    },
  }
}

function launch(program: string, port: number, folder: string, options: RedisOptions): Running {
  return run(program, [
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
    ...['--appendonly', options.appendonly ? 'yes' : 'no', '--maxmemory-policy', 'noeviction'],
    ...['--enable-debug-command', 'local'],
    ...(options.password ? ['--requirepass', options.password] : []),
    ...(options.args ?? []),
  ])
}

/** False where the process ended before it answered. */
async function answers(running: Running, port: number, { password }: RedisOptions): Promise<boolean> {
  const ended = running.exited.then(() => true)
  const client = new Redis({
    host: '127.0.0.1',
    port,
    ...(password ? { password } : {}),
    retryStrategy: () => 10,
    maxRetriesPerRequest: null,
  })
  client.on('error', () => {})
  try {
    return await Promise.race([
      ended.then(() => false),
      until(async () => (await client.ping()) === 'PONG', { timeoutMs: 20_000, what: 'Redis answers' }),
    ])
  } finally {
    client.disconnect()
  }
}
