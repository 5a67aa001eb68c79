import { type ConnectionOptions, Queue, Worker } from 'bullmq'
import { afterAll, expect, test } from 'vitest'
import { createQueues } from '../../src/fleet/queues.js'
import { namesOf, schedulerIdOf } from '../../src/redis/names.js'
import { CAN_TAKE_TICKS, takeTicks } from '../../src/redis/take-scripts.js'
import { CAN_END_TICKS, claimTicks, endTicks } from '../../src/redis/tick-scripts.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis } from '../helpers/redis.js'

const names = namesOf(namespace())
const redis = connectRedis()
const connection = redis as unknown as ConnectionOptions
const queues = createQueues(redis, names)
afterAll(() => queues.close())

const key = (type: string, part: string) => `${names.queuePrefix}:${type}:${part}`
const schedule = (type: string, nickname: string, every: number) =>
  queues.addWorker({ type, nickname, revision: 7, kind: 'repeatable', every, cron: null, timezone: null }, false)

/** All that a queue holds, without what differs from run to run: times, and who holds the lock. */
async function contentsOf(type: string): Promise<unknown> {
  const found: Record<string, unknown> = {}
  const plain = (text: string) =>
    text
      .replaceAll(type, 'TYPE')
      .replaceAll(/\d{13}/g, 'TIME')
      .replaceAll(/"delay":\d+/g, '"delay":1')
  for (const name of (await redis.keys(key(type, '*'))).sort()) {
    const part = plain(name)
    const kind = await redis.type(name)
    if (kind === 'hash') {
      const hash = await redis.hgetall(name)
      const { delay = '', opts = '{}', offset, ...rest } = hash
      found[part] = Object.fromEntries(Object.entries(rest).map(([field, text]) => [field, plain(text)]))
      Object.assign(found[part] as object, {
        opts: JSON.parse(plain(opts).replaceAll(/(?<=:)TIME/g, '0')),
        isDelayed: delay !== '0',
        hasOffset: offset !== undefined,
      })
    } else if (kind === 'zset') found[part] = (await redis.zrange(name, 0, '-1')).map(plain)
    else if (kind === 'list') found[part] = (await redis.lrange(name, 0, -1)).map(plain)
    else if (kind === 'stream') {
      found[part] = (await redis.xrange(name, '-', '+')).map(([, fields]) => fields.map((field) => plain(field)))
    } else found[part] = kind
  }
  return found
}

async function takenByBullmq(type: string, rounds: number): Promise<void> {
  const worker = new Worker(type, null, { autorun: false, connection, prefix: names.queuePrefix, lockDuration: 3000 })
  for (let round = 0; round < rounds; round++) {
    const job = await worker.getNextJob('by-hand', { block: false })
    if (!job) throw new Error('there is no job')
    await job.moveToCompleted({ how: 'stale', nickname: 'one' }, 'by-hand', false)
    await queues
      .get(type)
      .getDelayed()
      .then((jobs) => Promise.all(jobs.map((next) => next.promote())))
  }
  await worker.getNextJob('by-hand', { block: false })
  await worker.close()
}

async function takenByUs(type: string, rounds: number): Promise<void> {
  for (let round = 0; round <= rounds; round++) {
    const lockToken = `by-hand-${type}-${round}`
    const { ticks } = await takeTicks(redis, names, { type, lockToken, most: 1 })
    const [tick] = ticks
    if (!tick) throw new Error('there is no job')
    if (round === rounds) return
    const { nickname, jobId } = tick
    const ended = { nickname, jobId, lockToken, token: 'nobody', fields: [] }
    expect(await endTicks(redis, names, type, [ended])).toEqual([{ finished: false, code: 0 }])
    await queues
      .get(type)
      .getDelayed()
      .then((jobs) => Promise.all(jobs.map((next) => next.promote())))
  }
}

test('this BullMQ has the scripts that ticks are taken and ended with', () => {
  expect([CAN_TAKE_TICKS, CAN_END_TICKS]).toEqual([true, true])
})

test.each([0, 1, 3])('a queue is left as BullMQ would leave it, after %i ticks that ended', async (rounds) => {
  const [theirs, ours] = [`Theirs${rounds}`, `Ours${rounds}`]
  await schedule(theirs, 'one', 60_000)
  await schedule(ours, 'one', 60_000)
  await takenByBullmq(theirs, rounds)
  await takenByUs(ours, rounds)
  expect(await contentsOf(ours)).toEqual(await contentsOf(theirs))
})

test('all that are due are taken at once, up to a number, and the time of the next is told', async () => {
  for (let i = 0; i < 5; i++) await schedule('Many', `w${i}`, 60_000)
  const first = await takeTicks(redis, names, { type: 'Many', lockToken: 'a', most: 3 })
  expect(first).toMatchObject({ others: [], nextMs: undefined, limitedMs: 0 })
  expect(first.ticks).toHaveLength(3)
  const second = await takeTicks(redis, names, { type: 'Many', lockToken: 'b', most: 3 })
  expect([...first.ticks, ...second.ticks].map(({ nickname }) => nickname).sort()).toEqual([
    'w0',
    'w1',
    'w2',
    'w3',
    'w4',
  ])
  expect(second.ticks.every(({ every, revision }) => every === 60_000 && revision === 7)).toBe(true)
  const next = await redis.zrange(key('Many', 'repeat'), '0', '0', 'WITHSCORES')
  expect(second.nextMs).toBe(Number(next[1]))
  for (const { jobId } of first.ticks) expect(await redis.get(names.jobLock('Many', jobId))).toBe('a')
  await queues.get('Many').pause()
  expect(await takeTicks(redis, names, { type: 'Many', lockToken: 'c', most: 3 })).toMatchObject({ ticks: [] })
})

test('a job whose next one only BullMQ can schedule is told as such', async () => {
  const queue = new Queue('Cron', { connection, prefix: names.queuePrefix })
  await queue.upsertJobScheduler('s-one', { pattern: '* * * * * *' }, { data: { nickname: 'one', revision: 7 } })
  await queue.add('stray', { nickname: 'two', revision: 7 })
  const [next] = await queue.getDelayed()
  await next?.promote()
  const { ticks, others } = await takeTicks(redis, names, { type: 'Cron', lockToken: 'cron', most: 3 })
  expect(ticks).toEqual([])
  expect(others).toHaveLength(2)
  await queue.close()
})

test('only ticks whose run holds the name, by a job that is locked and wanted, are begun; the others change nothing', async () => {
  const running = { wanted: '1', revision: '7', token: 'run', running: '0', epoch: '41', params: '{"a":1}' }
  const cases: Record<string, Record<string, string>> = {
    good: {},
    again: { running: '1', lock: names.jobLock('Probe', 'j-again'), lockToken: 'mine' },
    fallen: { running: '1', lock: 'a lock that has ended', lockToken: 'x' },
    stopped: { wanted: '0' },
    newer: { revision: '8' },
    replaced: { token: 'another run' },
    busy: { running: '1', lock: names.jobLock('Probe', 'j-other'), lockToken: 'theirs' },
    unlocked: {},
    restored: {},
  }
  await redis.set(names.jobLock('Probe', 'j-other'), 'theirs')
  await redis.set(names.restored('restored'), 'run')
  for (const [nickname, differing] of Object.entries(cases)) {
    await redis.hset(names.worker(nickname), { ...running, ...differing })
    await redis.set(names.jobLock('Probe', `j-${nickname}`), nickname === 'unlocked' ? 'theirs' : 'mine')
  }
  await redis.hset(names.info('Probe', 'again'), 'skipped', '3')
  const nicknames = Object.keys(cases)
  const before = await Promise.all(nicknames.map((nickname) => redis.hgetall(names.worker(nickname))))
  const { verdicts, nowMs } = await claimTicks(
    redis,
    names,
    { type: 'Probe', lockToken: 'mine', heartbeatSeconds: 1 },
    nicknames.map((nickname) => ({ nickname, revision: 7, jobId: `j-${nickname}`, token: 'run' })),
  )
  const yes = { ok: true, epoch: 41, params: '{"a":1}', skipped: 0 }
  const no = { ok: false }
  expect(verdicts).toEqual([yes, { ...yes, skipped: 3 }, yes, no, no, no, no, no, no])
  expect(await redis.hgetall(names.worker('good'))).toMatchObject({
    running: '1',
    epoch: '41',
    lock: names.jobLock('Probe', 'j-good'),
    lockToken: 'mine',
    claimed_at: String(nowMs),
  })
  expect(Number(await redis.zscore(names.beats, 'Probe.good'))).toBe(nowMs + 2000)
  const after = await Promise.all(nicknames.map((nickname) => redis.hgetall(names.worker(nickname))))
  expect(after.slice(3)).toEqual(before.slice(3))
  for (const nickname of nicknames.slice(3)) expect(await redis.exists(names.info('Probe', nickname))).toBe(0)
})

test('an end is written for who holds the name; the job of another is completed all the same, one without lock is not', async () => {
  for (const nickname of ['good', 'stale', 'unlocked']) await schedule('Ends', nickname, 60_000)
  const { ticks } = await takeTicks(redis, names, { type: 'Ends', lockToken: 'mine', most: 9 })
  for (const { nickname, jobId } of ticks) {
    const token = nickname === 'stale' ? 'later run' : 'run'
    await redis.hset(names.worker(nickname), { token, running: '1', crashes: '3' })
    if (nickname === 'unlocked') await redis.del(names.jobLock('Ends', jobId))
  }
  const answers = await endTicks(
    redis,
    names,
    'Ends',
    ticks.map(({ nickname, jobId }) => ({ nickname, jobId, lockToken: 'mine', token: 'run', fields: ['ticks', '5'] })),
  )
  const byNickname = Object.fromEntries(ticks.map(({ nickname }, i) => [nickname, answers[i]]))
  expect(byNickname).toEqual({
    good: { finished: true, code: 0 },
    stale: { finished: false, code: 0 },
    unlocked: { finished: true, code: -2 },
  })
  const next = Number(await redis.zscore(key('Ends', 'repeat'), schedulerIdOf('good')))
  const info = await redis.hgetall(names.info('Ends', 'good'))
  expect(info).toMatchObject({ status: 'started', ticks: '5', next_tick: (next / 1000).toFixed(3) })
  expect(await redis.hmget(names.worker('good'), 'running', 'crashes')).toEqual(['0', '0'])
  expect(Number(await redis.zscore(names.beats, 'Ends.good'))).toBe(next + 2000)
  expect(await redis.exists(names.info('Ends', 'stale'))).toBe(0)
  expect(await redis.lrange(key('Ends', 'active'), 0, -1)).toEqual([
    ticks.find(({ nickname }) => nickname === 'unlocked')?.jobId,
  ])
})

test('a call that is sent again, since its answer got lost, is answered as the first time', async () => {
  for (const nickname of ['a', 'b', 'c']) await schedule('Resent', nickname, 60_000)
  const take = (lockToken: string) => takeTicks(redis, names, { type: 'Resent', lockToken, most: 2 })
  const taken = await take('first')
  expect(taken.ticks).toHaveLength(2)
  expect(await take('first')).toEqual(taken)
  expect((await take('second')).ticks).toHaveLength(1)

  for (const { nickname } of taken.ticks)
    await redis.hset(names.worker(nickname), { wanted: '1', revision: '7', token: 'run', epoch: '41', running: '0' })
  const claimed = taken.ticks.map(({ nickname, jobId }) => ({ nickname, jobId, revision: 7, token: 'run' }))
  const about = { type: 'Resent', lockToken: 'first', heartbeatSeconds: 1 }
  const { verdicts } = await claimTicks(redis, names, about, claimed)
  expect((await claimTicks(redis, names, about, claimed)).verdicts).toEqual(verdicts)

  const ends = claimed.map((one) => ({ ...one, lockToken: 'first', fields: ['ticks', '5'] }))
  const answers = await endTicks(redis, names, 'Resent', ends)
  expect(answers).toEqual(Array(2).fill({ finished: true, code: 0 }))
  const state = async () => [await contentsOf('Resent'), await redis.hgetall(names.worker('a'))]
  const before = await state()
  expect(await endTicks(redis, names, 'Resent', ends)).toEqual(answers)
  expect(await state()).toEqual(before)
})
