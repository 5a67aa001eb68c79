import { createRequire } from 'node:module'
import { join } from 'node:path'
import { findProgram, freePort, run } from '../../test/helpers/process.js'
import { until } from '../../test/helpers/until.js'
import { type Bench, ROOT } from './bench.js'

/** What the bench uses of NATS's own JS client, which only bench/package.json knows. */
export interface NatsConnection {
  publish(subject: string, payload: Uint8Array): void
  subscribe(
    subject: string,
    options: { callback(error: Error | null, message: { subject: string; data: Uint8Array }): void },
  ): unknown
  /** Resolves when the server has answered all that was sent before. */
  flush(): Promise<void>
  close(): Promise<void>
}

export function connectNats(url: string): Promise<NatsConnection> {
  const require = createRequire(join(ROOT, 'bench/package.json'))
  const { connect } = require('nats') as { connect(options: { servers: string }): Promise<NatsConnection> }
  return connect({ servers: url })
}

/** A private nats-server on a free port; its row `needs: ['nats']`. */
export async function startNats(bench: Bench): Promise<{ url: string }> {
  const port = await freePort()
  const server = run(findProgram('nats-server') ?? 'nats-server', ['-a', '127.0.0.1', '-p', String(port)])
  bench.release(() => server.stop())
  await until(() => server.output().includes('Server is ready'), { what: 'nats-server is ready' })
  return { url: `nats://127.0.0.1:${port}` }
}
