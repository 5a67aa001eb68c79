import { spawn } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { leakedProcesses, MARK } from '../helpers/leaks.js'
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

  it.runIf(process.platform === 'linux')('find and end what a test run left behind, and name it', async () => {
    const left = spawn('sleep', ['77'], { env: { ...process.env, [MARK]: 'of-this-test' }, detached: true })
    expect(await leakedProcesses('of-this-test', 0)).toEqual([`${left.pid} sleep 77`])
    expect(await leakedProcesses('of-this-test', 2000)).toEqual([])
  })

  it('wait for a condition and say what did not happen', async () => {
    let n = 0
    expect(await until(() => ++n > 3 && n)).toBe(4)
    await expect(until(() => false, { timeoutMs: 50, what: 'the moon' })).rejects.toThrow(/50 ms: the moon/)
  })
})
