import { describe, expect, it } from 'vitest'
import { readWorker, readWorkers } from '../../src/fleet/fleet.js'
import { namesOf } from '../../src/redis/names.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis } from '../helpers/redis.js'

describe('what is read of a worker', () => {
  it('is of one moment: what a script writes in one step is seen whole or not at all', async () => {
    const [redis, other] = [connectRedis(), connectRedis()]
    const names = namesOf(namespace())
    const keys = [names.worker('w'), names.info('T', 'w')]
    const write = (n: number) =>
      other.eval(
        `redis.call('HSET', KEYS[1], 'type', 'T', 'nickname', 'w', 'wanted', ARGV[1], 'restarts', ARGV[2], 'running', '1', 'revision', '1')
         redis.call('HSET', KEYS[2], 'status', ARGV[1] == '1' and 'started' or 'failed', 'errors', ARGV[2], 'revision', '1')`,
        ...[2, ...keys, n % 2, n],
      )
    await write(1)
    await redis.sadd(names.workers, 'w')
    let writing = true
    const writer = (async () => {
      for (let n = 2; writing; n++) await write(n)
    })()
    for (let i = 0; i < 200; i++) {
      const [one, [all]] = await Promise.all([readWorker(redis, names, 'w'), readWorkers(redis, names)])
      for (const view of [one, all]) {
        expect(view?.status).toBe(view?.wanted ? 'started' : 'failed')
        expect(view?.restarts).toBe(view?.errors)
      }
    }
    writing = false
    await writer
    await redis.del(...keys, names.workers)
  })

  it('follows a nickname to the type that has it now', async () => {
    const redis = connectRedis()
    const names = namesOf(namespace())
    const keys = [names.worker('w'), names.info('Old', 'w'), names.info('New', 'w'), names.workers]
    await redis.hset(names.worker('w'), { type: 'New', nickname: 'w', wanted: 1, running: 1 })
    await redis.hset(names.info('Old', 'w'), { status: 'terminated', pid: 1 })
    await redis.hset(names.info('New', 'w'), { status: 'started', pid: 2 })
    await redis.sadd(names.workers, 'w', 'never')
    expect(await readWorkers(redis, names)).toMatchObject([{ type: 'New', status: 'started', pid: 2 }])
    expect(await readWorker(redis, names, 'never')).toBeUndefined()
    await redis.del(...keys)
  })
})
