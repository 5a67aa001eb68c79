import { expect, it } from 'vitest'
import { countRaw } from '../../src/redis/fleet-scripts.js'
import { namesOf } from '../../src/redis/names.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis } from '../helpers/redis.js'

it('of the nodes that hear a raw command one takes it, each time, also when those that heard the one before are gone', async () => {
  const redis = connectRedis()
  const names = namesOf(namespace())
  const heardBy = async (...nodes: string[]) => {
    const taken: boolean[] = []
    for (const node of nodes) taken.push(await countRaw(redis, names, 'hash', node))
    return taken.filter(Boolean).length
  }
  const later = () => redis.hset(names.rawSeen('hash'), 'at', 1)
  expect(await heardBy('a', 'b')).toBe(1)
  expect(await heardBy('b', 'a')).toBe(1)
  // c has come up while it was sent, and hears only the third
  expect(await heardBy('c', 'a', 'b')).toBe(1)
  expect(await heardBy('a', 'b', 'c')).toBe(1)
  // all of them are gone
  await later()
  expect(await heardBy('d', 'e')).toBe(1)
  expect(await heardBy('e', 'd')).toBe(1)
})
