import { afterEach, expect, it } from 'vitest'
import { followRedisClock, hostNowMs } from '../../src/redis/clock.js'
import { connectRedis } from '../helpers/redis.js'

const redis = connectRedis()
const hostClock = Date.now

afterEach(() => {
  Date.now = hostClock
})

async function redisMs(): Promise<number> {
  const [seconds, micros] = await redis.time()
  return Number(seconds) * 1000 + Number(micros) / 1000
}

it("goes by Redis's clock where the host's is wrong, and gives the host's back", async () => {
  const wrong = () => hostClock() - 60_000
  Date.now = wrong
  const clock = await followRedisClock(redis)
  const before = await redisMs()
  const told = Date.now()
  expect(told).toBeGreaterThan(before - 1000)
  expect(told).toBeLessThan((await redisMs()) + 1000)
  expect(Number.isInteger(told)).toBe(true)
  expect(Math.abs(hostNowMs() - hostClock())).toBeLessThan(1000)
  clock.release()
  expect(Date.now).toBe(wrong)
})

it('does not jitter: a second look that finds nothing wrong changes nothing', async () => {
  const clock = await followRedisClock(redis)
  let last = Date.now()
  let corrections = 0
  for (let i = 0; i < 50; i++) {
    await clock.sync()
    const now = Date.now()
    if (now < last - 1) corrections++
    last = now
  }
  clock.release()
  expect(corrections, 'the first look may have been held up').toBeLessThan(2)
})
