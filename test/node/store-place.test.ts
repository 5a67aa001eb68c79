import { hostname } from 'node:os'
import { expect, it } from 'vitest'
import { resolveSettings } from '../../src/config/resolve.js'
import { createPresence } from '../../src/node/presence.js'
import { claimStore, storeOptionsOf } from '../../src/node/store-place.js'
import { namesOf } from '../../src/redis/names.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis } from '../helpers/redis.js'

const redis = connectRedis()
const settingsOf = (env: Record<string, string>) => resolveSettings({ env, cwd: '/tmp' })
const MYSQL = settingsOf({ HYSAS_DATABASE_URL: 'mysql://hysas@10.0.0.5/hysas' })
const SQLITE = settingsOf({})

function fleet() {
  const names = namesOf(namespace())
  return {
    claim: (settings: typeof MYSQL, file = '/own.db', joined = false) =>
      claimStore(redis, names, settings, file, joined),
    place: () => redis.hgetall(names.store),
    node: () => createPresence({ redis, names, name: 'one', capacity: 1, now: () => ({}) }),
    lose: () => redis.del(names.store),
  }
}

it('a node takes no live fleet to a database of another kind', async () => {
  const { claim, place, node } = fleet()
  await claim(MYSQL)
  const one = node()
  await one.takeName()
  const agreed = await place()
  await expect(claim(SQLITE)).rejects.toMatchObject({ code: 'OTHER_DATABASE' })
  expect(await place()).toEqual(agreed)
  await claim(MYSQL)
  await one.remove()
  expect(await claim(SQLITE)).toBe('/own.db') // nobody else is up
  expect(await place()).toEqual({ kind: 'sqlite', path: '/own.db', host: hostname() })
  await one.takeName()
  await expect(claim(MYSQL)).rejects.toMatchObject({ code: 'OTHER_DATABASE' })
  expect(await claim(SQLITE, '/other.db')).toBe('/own.db')
})

it('two fleets that live in one folder keep their events apart', () => {
  const fileOf = (env: Record<string, string>) => storeOptionsOf(settingsOf(env)).sqliteFile
  expect(fileOf({})).toBe('/tmp/.hysas/hysas.db')
  expect(fileOf({ HYSAS_NAMESPACE: 'north' })).toBe('/tmp/.hysas/hysas-north.db')
})

it('a node that has joined writes its place down where Redis has lost it or has an older one', async () => {
  const { claim, place, node, lose } = fleet()
  await claim(SQLITE)
  const agreed = await place()
  await node().takeName()
  await lose()
  await claim(SQLITE, '/own.db', true)
  expect(await place()).toEqual(agreed)
  await claim(MYSQL, '/own.db', true)
  expect(await place()).toMatchObject({ kind: 'mysql' })
})
