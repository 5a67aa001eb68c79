import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type RedisOptions as ConnectionOptions, Redis } from 'ioredis'
import { removeFolder, temporaryFolder } from '../../test/helpers/folder.js'
import { type RedisOptions, type RedisServer, startRedisServer } from '../../test/helpers/redis-server.js'

/** Of the checkout. */
export const ROOT = process.env.HYSAS_BENCH_ROOT ?? process.cwd()

/** What a row is given: what it opens is released when it ends, last first. */
export interface Bench {
  /** Shorter and less exact: for trying out. */
  readonly quick: boolean
  /** Shown while it runs. */
  progress(text: string): void
  /** Called at the row's end. */
  release(work: () => unknown): void
  /** A private Redis on a free port. */
  redis(options?: RedisOptions): Promise<RedisServer>
  /** An ordinary ioredis connection. */
  connect(url: string, options?: Omit<ConnectionOptions, 'replyMapping'>): Redis
  folder(): string
  /** A folder with these processors of bench/processors alone. */
  processors(...types: string[]): string
}

export function createBench({ quick, progress }: Pick<Bench, 'quick' | 'progress'>): Bench & { end(): Promise<void> } {
  const releasers: (() => unknown)[] = []
  const bench: Bench = {
    quick,
    progress,
    release: (work) => void releasers.push(work),
    async redis(options) {
      const server = await startRedisServer(options)
      bench.release(() => server.stop())
      return server
    },
    connect(url, options = {}) {
      const redis = new Redis(url, { maxRetriesPerRequest: null, ...options })
      redis.on('error', () => {}) // a row that ends its server expects them
      bench.release(() => redis.disconnect())
      return redis
    },
    folder() {
      const folder = temporaryFolder('hysas-bench')
      bench.release(() => removeFolder(folder))
      return folder
    },
    processors(...types) {
      const folder = join(bench.folder(), 'processors')
      mkdirSync(folder)
      for (const type of types) cpSync(join(ROOT, 'bench/processors', `${type}.ts`), join(folder, `${type}.ts`))
      return folder
    },
  }
  return {
    ...bench,
    async end() {
      for (const work of releasers.splice(0).reverse()) {
        // what could not be released must not keep the rest from it
        await Promise.resolve()
          .then(work)
          .catch((error: unknown) => process.stderr.write(`${String(error)}\n`))
      }
    },
  }
}
