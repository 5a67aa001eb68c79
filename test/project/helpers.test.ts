import { describe, expect, it } from 'vitest'
import { alive } from '../helpers/process.js'
import { connectRedis, redisUrl, startRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

describe('the helpers of the tests', () => {
  it('give every test file the same private Redis', async () => {
    const redis = connectRedis(redisUrl())
    expect(await redis.ping()).toBe('PONG')
  })

  it('start a Redis that a test can kill and bring back with its data', async () => {
    const server = await startRedis({ appendonly: true, password: 'a b' })
    const redis = connectRedis(server.url)
    await redis.set('kept', '1')
    await redis.config('SET', 'appendfsync', 'always')
    await redis.set('kept', '2')
    const before = server.pid
    await server.kill()
    await until(() => !alive(before), { what: 'the killed server is gone' })
    await server.restart()
    expect(server.pid).not.toBe(before)
    expect(await until(() => redis.get('kept'), { what: 'the data is back' })).toBe('2')
  })

  it('wait for a condition and say what did not happen', async () => {
    let n = 0
    expect(await until(() => ++n > 3 && n)).toBe(4)
    await expect(until(() => false, { timeoutMs: 50, what: 'the moon' })).rejects.toThrow(/50 ms: the moon/)
  })
})
