import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type AdmitRequest, admit, drawRevision, settleStopped } from '../../src/redis/fleet-scripts.js'
import { jobIdOf, namesOf } from '../../src/redis/names.js'
import { publishFenced } from '../../src/redis/publish-scripts.js'
import { recordFenced } from '../../src/redis/record-scripts.js'
import { beat, type ClaimRequest, claim, type FinishHow, finish } from '../../src/redis/run-scripts.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis } from '../helpers/redis.js'

const redis = connectRedis()
const RESTART = { minDelayMs: 2000, maxDelayMs: 30_000, healthyAfterMs: 60_000, giveUpAfter: 1 }

/** One worker, `a`, in a fleet of its own. */
function fleet(type = 'Demo') {
  const names = namesOf(namespace())
  const nickname = 'a'
  const key = names.worker(nickname)
  const command = async (op: AdmitRequest['op'], of = type): Promise<number> => {
    const { revision } = await drawRevision(redis, names, nickname, 5000)
    const { verdict } = await admit(redis, names, {
      ...{ op, nickname, revision, type: of, params: op === 'restart' ? '' : '{}', by: 'test', system: false },
      ...{ kind: 'long-running', isolation: 'process', patient: false },
    })
    expect(verdict).toBe('admitted')
    return revision
  }
  const begin = async (revision: number, more: Partial<ClaimRequest> = {}) => {
    const request = {
      ...{ type, nickname, token: randomUUID(), revision, jobId: jobIdOf(nickname, revision), lockToken: 'held' },
      ...{ mode: 'run' as const, node: 'n1', pid: 1, heartbeatSeconds: 1, version: 'v' },
      ...more,
    }
    await redis.set(names.jobLock(type, request.jobId), request.lockToken)
    return { token: request.token, answer: await claim(redis, names, request) }
  }
  const end = (token: string, how: FinishHow, more: { errorMsg?: string; giveUpAfter?: number | null } = {}) =>
    finish(redis, names, {
      ...{ type, nickname, token, how, stopInfo: how, errorMsg: more.errorMsg ?? '', jitter: 0, fields: {} },
      restart: { ...RESTART, giveUpAfter: more.giveUpAfter === undefined ? 1 : more.giveUpAfter },
    })
  const info = (of = type) => redis.hgetall(names.info(of, nickname))
  const worker = () => redis.hgetall(key)
  const isWanted = async () => (await redis.sismember(names.wanted, nickname)) === 1
  return { names, nickname, command, begin, end, info, worker, isWanted }
}

const ENDS: FinishHow[] = ['done', 'refused', 'crashed', 'stopped', 'restarted', 'handover']

describe('the end of a run', () => {
  test.each(ENDS)('that is %s leaves a later command as it is: wanted, without a crash counted', async (how) => {
    for (const commands of [['restart'], ['stop', 'start']] as const) {
      const { command, begin, end, info, worker, isWanted } = fleet()
      const { token } = await begin(await command('start'))
      let revision = 0
      for (const op of commands) revision = await command(op)
      const before = await worker()
      expect(await end(token, how)).toMatchObject({ finished: true, crashes: 0, gaveUp: false, renewed: true })
      const { restarts, crashes, wanted, next_start_at } = await worker()
      expect({ restarts, crashes, wanted, next_start_at }).toEqual({ restarts: '0', crashes: '0', wanted: '1' })
      expect(before.revision).toBe(String(revision))
      expect(await isWanted()).toBe(true)
      expect(await info()).toMatchObject({ status: 'restarting', stop_info: how })
      expect((await begin(revision)).answer).toMatchObject({ claimed: true })
    }
  })

  test('that a start of another type has overtaken is no restart', async () => {
    const { command, begin, end, info, isWanted } = fleet()
    const { token } = await begin(await command('start'))
    await command('stop')
    await command('start', 'Other')
    expect(await end(token, 'done')).toMatchObject({ finished: true, renewed: true })
    expect((await info()).status).toBe('terminated')
    expect(await isWanted()).toBe(true)
  })

  test('that a stop has overtaken stays stopped', async () => {
    const { command, begin, end, info, worker, isWanted } = fleet()
    const { token } = await begin(await command('start'))
    await command('stop')
    expect(await end(token, 'crashed')).toMatchObject({ finished: true, renewed: true, gaveUp: false })
    expect((await info()).status).toBe('terminated')
    expect((await worker()).next_start_at).toBeUndefined()
    expect(await isWanted()).toBe(false)
  })

  test('of the wanted revision counts, as ever', async () => {
    const { command, begin, end, info, isWanted } = fleet()
    const revision = await command('start')
    const first = await begin(revision)
    expect(await end(first.token, 'crashed', { giveUpAfter: null })).toMatchObject({ crashes: 1, renewed: false })
    const second = await begin(revision)
    expect(await end(second.token, 'crashed', { giveUpAfter: 2 })).toMatchObject({ crashes: 2, gaveUp: true })
    expect((await info()).status).toBe('failed')
    expect(await isWanted()).toBe(false)
  })

  test.each([...ENDS, 'ticked' as const])(
    'that is %s is answered again as the first time, and written once',
    async (how) => {
      const { command, begin, end, info, worker } = fleet()
      const revision = await command('start')
      await end((await begin(revision)).token, 'crashed', { giveUpAfter: null })
      const { token } = await begin(revision, how === 'ticked' ? { mode: 'tick' } : {})
      const first = await end(token, how, { giveUpAfter: null })
      expect(first.finished).toBe(true)
      const before = [await info(), await worker()]
      expect(await end(token, how, { giveUpAfter: null })).toEqual(first)
      expect((await end(token, 'shutdown')).finished).toBe(false)
      expect((await end('another', how)).finished).toBe(false)
      expect([await info(), await worker()]).toEqual(before)
    },
  )

  test('between two ticks is answered again as the first time, and a claim makes an end of its own possible', async () => {
    const { command, begin, end, info } = fleet()
    const revision = await command('start')
    const { token } = await begin(revision, { mode: 'tick' })
    await end(token, 'ticked')
    await command('stop')
    const first = await end(token, 'stopped')
    expect(first.finished).toBe(true)
    expect(await end(token, 'stopped')).toEqual(first)
    const second = await begin(await command('start'), { mode: 'tick', token, jobId: 'second' })
    expect(second.answer).toMatchObject({ claimed: true })
    expect((await end(token, 'stopped')).finished).toBe(true)
    expect((await info()).status).toBe('terminated')
  })

  test('of a tick whose child died tells and counts the error, which the next child of the revision carries on', async () => {
    const { names, nickname, command, begin, end, info } = fleet()
    const revision = await command('start')
    const first = await begin(revision, { mode: 'tick' })
    expect(first.answer).toMatchObject({ fresh: true, errors: 0, errorMsg: '' })
    await end(first.token, 'ticked', { errorMsg: 'Error: died\n  at tick' })
    expect(await info()).toMatchObject({ status: 'started', errors: '1', error_msg: 'Error: died\n  at tick' })
    const second = await begin(revision, { mode: 'tick' })
    expect(second.answer).toMatchObject({ fresh: true, errors: 1, errorMsg: 'Error: died\n  at tick' })
    expect(await info()).toMatchObject({ status: 'init', errors: '1', error_msg: 'Error: died\n  at tick' })
    await end(second.token, 'ticked')
    expect(await info()).toMatchObject({ errors: '1' })
    await redis.hset(names.info('Demo', nickname), { status: 'disappeared', error_msg: 'no heartbeat' })
    const third = await begin(revision, { mode: 'tick' })
    expect(third.answer).toMatchObject({ errors: 1, errorMsg: '' })
    await end(third.token, 'ticked', { errorMsg: 'Error: again' })
    const other = await begin(await command('restart'), { mode: 'tick', jobId: 'other' })
    expect(other.answer).toMatchObject({ errors: 0, errorMsg: '' })
  })
})

describe('a stopped worker whose job has no lock any more', () => {
  test.each(['run', 'tick'] as const)(
    'is settled, and what its frozen %s does when it wakes is refused',
    async (mode) => {
      const { names, nickname, command, begin, end, info, worker } = fleet()
      const revision = await command('start')
      const { token } = await begin(revision, { mode })
      const run = { type: 'Demo', nickname, token }
      await command('stop')
      expect(await settleStopped(redis, names, 'Demo', nickname)).toBe(false) // its lock is held yet
      await redis.del(names.jobLock('Demo', jobIdOf(nickname, revision)))
      expect(await settleStopped(redis, names, 'Demo', nickname)).toBe(true)
      expect((await info()).status).toBe('terminated')
      const stretches = [{ channel: 'c', count: 1, payloads: ['x'], asLines: false }]
      expect(await publishFenced(redis, names, run, { series: 's', n: 1, oldest: 1, stretches })).toBe('stale')
      expect(await recordFenced(redis, names, run, ['{}'])).toBe(false)
      expect(await beat(redis, names, run, {}, 1000)).toBe(false)
      expect((await end(token, 'stopped')).finished).toBe(false)
      expect((await info()).stop_info).toBe('stopped by command')
      expect((await begin(await command('start'), { mode })).answer).toMatchObject({ claimed: true })
      expect((await worker()).running).toBe('1')
    },
  )

  test('between two ticks, too; one that has ended in order is left as it is', async () => {
    const { names, nickname, command, begin, end, worker } = fleet()
    const { token } = await begin(await command('start'), { mode: 'tick' })
    await end(token, 'ticked')
    await command('stop')
    expect(await settleStopped(redis, names, 'Demo', nickname)).toBe(true)
    expect((await worker()).token).toBe('')
    const second = await begin(await command('start'))
    await command('stop')
    const ended = await end(second.token, 'stopped')
    expect(await settleStopped(redis, names, 'Demo', nickname)).toBe(true)
    expect(await end(second.token, 'stopped')).toEqual(ended) // sent again
  })
})
