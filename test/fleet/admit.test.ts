import { describe, expect, it } from 'vitest'
import { type AdmitRequest, admit, countRaw, drawRevision } from '../../src/redis/fleet-scripts.js'
import { namesOf } from '../../src/redis/names.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis } from '../helpers/redis.js'

const redis = connectRedis()

function fleet() {
  const names = namesOf(namespace())
  const ask = (op: AdmitRequest['op'], nickname: string, revision: number, more: Partial<AdmitRequest> = {}) =>
    admit(redis, names, {
      op,
      nickname,
      revision,
      type: 'Demo',
      params: op === 'restart' ? '' : '{}',
      by: 'test',
      system: false,
      kind: 'long-running',
      isolation: 'process',
      patient: true,
      ...more,
    })
  const draw = async (nickname: string) => (await drawRevision(redis, names, nickname, 5000)).revision
  const wanted = async (nickname: string) => (await redis.sismember(names.wanted, nickname)) === 1
  return { names, ask, draw, wanted }
}

describe('admission', () => {
  it('lets one of many racing starts of a nickname win, and tells the others', async () => {
    const { ask, draw } = fleet()
    const revisions = await Promise.all(Array.from({ length: 200 }, () => draw('a')))
    const verdicts = await Promise.all(revisions.map((revision) => ask('start', 'a', revision, { patient: false })))
    expect(verdicts.filter(({ verdict }) => verdict === 'admitted')).toHaveLength(1)
    expect(verdicts.filter(({ verdict }) => verdict === 'taken' || verdict === 'superseded')).toHaveLength(199)
  })

  it('refuses a start that comes after the stop which was given later', async () => {
    const { ask, draw, wanted } = fleet()
    const [start, stop] = [await draw('a'), await draw('a')]
    expect((await ask('stop', 'a', stop)).verdict).toBe('wait')
    expect((await ask('stop', 'a', stop, { patient: false })).verdict).toBe('unchanged')
    expect((await ask('start', 'a', start)).verdict).toBe('superseded')
    expect(await wanted('a')).toBe(false)
  })

  it('lets a start wait for the stop that was given before it', async () => {
    const { ask, draw, wanted } = fleet()
    await ask('start', 'a', await draw('a'))
    const [stop, start] = [await draw('a'), await draw('a')]
    expect((await ask('start', 'a', start)).verdict).toBe('wait')
    expect((await ask('stop', 'a', stop)).verdict).toBe('admitted')
    expect((await ask('start', 'a', start)).verdict).toBe('admitted')
    expect(await wanted('a')).toBe(true)
  })

  it('gives the same command the same answer', async () => {
    const { ask, draw } = fleet()
    const revision = await draw('a')
    expect((await ask('start', 'a', revision)).verdict).toBe('admitted')
    expect((await ask('start', 'a', revision)).verdict).toBe('again')
  })

  it('names what holds a taken name', async () => {
    const { ask, draw } = fleet()
    await ask('start', 'a', await draw('a'))
    expect(await ask('start', 'a', await draw('a'), { type: 'Other' })).toMatchObject({
      verdict: 'taken',
      type: 'Demo',
    })
  })

  it('frees a name at once when it is stopped, and says that a second stop changes nothing', async () => {
    const { ask, draw } = fleet()
    await ask('start', 'a', await draw('a'))
    expect((await ask('stop', 'a', await draw('a'))).verdict).toBe('admitted')
    expect((await ask('stop', 'a', await draw('a'))).verdict).toBe('unchanged')
    expect((await ask('start', 'a', await draw('a'))).verdict).toBe('admitted')
  })

  it('knows no worker that never was, and writes nothing about it', async () => {
    const { ask, draw, names } = fleet()
    expect((await ask('stop', 'ghost', await draw('ghost'))).verdict).toBe('unknown')
    expect((await ask('restart', 'ghost', await draw('ghost'))).verdict).toBe('unknown')
    expect(await redis.exists(names.worker('ghost'), names.pending('ghost'))).toBe(0)
  })

  it('restarts with the parameters it had, or with new ones', async () => {
    const { ask, draw, names } = fleet()
    await ask('start', 'a', await draw('a'), { params: '{"everyMs":5}' })
    expect((await ask('restart', 'a', await draw('a'))).verdict).toBe('admitted')
    expect(await redis.hget(names.worker('a'), 'params')).toBe('{"everyMs":5}')
    await ask('restart', 'a', await draw('a'), { params: '{"everyMs":7}' })
    expect(await redis.hget(names.worker('a'), 'params')).toBe('{"everyMs":7}')
    await ask('stop', 'a', await draw('a'))
    expect((await ask('restart', 'a', await draw('a'))).verdict).toBe('stopped')
  })

  it('does not stop what belongs to the system', async () => {
    const { ask, draw } = fleet()
    await ask('start', 'Monitor', await draw('Monitor'), { system: true })
    expect((await ask('stop', 'Monitor', await draw('Monitor'))).verdict).toBe('protected')
  })

  it('draws revisions that rise, at least to the time, also over a Redis that lost its data', async () => {
    const { draw, names } = fleet()
    const drawn = await Promise.all(Array.from({ length: 50 }, () => draw('a')))
    expect(new Set(drawn).size).toBe(50)
    await redis.del(names.revision)
    expect(await draw('a')).toBeGreaterThanOrEqual(Math.max(...drawn) - 50)
  })
})

describe('raw commands', () => {
  it('count once however many nodes hear them, and twice when they are sent twice', async () => {
    const { names } = fleet()
    const heard = await Promise.all(['x', 'y', 'z'].map((node) => countRaw(redis, names, 'h', node)))
    expect(heard.filter(Boolean)).toHaveLength(1)
    const again = await Promise.all(['x', 'y', 'z'].map((node) => countRaw(redis, names, 'h', node)))
    expect(again.filter(Boolean)).toHaveLength(1)
  })
})
