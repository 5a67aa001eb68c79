import { type ConnectionOptions, type Job, type JobsOptions, Worker } from 'bullmq'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { NodeEntry } from '../../src/fleet/nodes.js'
import { planQueue, type Wanted } from '../../src/fleet/plan.js'
import { createQueues } from '../../src/fleet/queues.js'
import { type ReconcileContext, reconcile } from '../../src/fleet/reconcile.js'
import { jobIdOf, namesOf, schedulerIdOf } from '../../src/redis/names.js'
import { type QueueSnapshot, readQueue } from '../../src/redis/queue-scripts.js'
import type { StoredEvent } from '../../src/store/types.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { unwant, want } from '../monitor/fleet.js'

const releasers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const release of releasers.splice(0).reverse()) await release()
})

/** A node that offers types; `Ticks` is repeatable. */
function node(every = 60_000, more: Record<string, unknown> = {}): NodeEntry {
  const offer = {
    kind: 'long-running',
    usable: true,
    builtin: false,
    version: 'v',
    every: null,
    cron: null,
    timezone: null,
  }
  const offered = {
    Demo: offer,
    Ticks: { ...offer, kind: 'repeatable', every },
    Nightly: { ...offer, kind: 'repeatable', cron: '0 3 * * *', timezone: 'Europe/Berlin' },
    ...more,
  }
  return { name: 'one', offered } as unknown as NodeEntry
}

function setUp() {
  const redis = connectRedis()
  const names = namesOf(namespace())
  const queues = createQueues(redis, names)
  releasers.push(() => queues.close())
  const events: Omit<StoredEvent, 'id' | 'time'>[] = []
  const warnings: string[] = []
  const context: ReconcileContext = {
    ...{ redis, names, queues, nodes: [node()] },
    record: async (event) => events.push(event),
    log: { warn: (_fields, message) => void warnings.push(message) },
  }
  /** A worker that was commanded some time ago. */
  const settled = async (type: string, nickname: string, kind?: string) => {
    const revision = await want(redis, names, type, nickname, kind)
    await redis.hset(names.worker(nickname), 'since', '1')
    return revision
  }
  const add = async (type: string, nickname: string, every = 60_000) => {
    const revision = await settled(type, nickname, type === 'Demo' ? 'long-running' : 'repeatable')
    const cron = type === 'Nightly' ? '0 3 * * *' : null
    const kind = type === 'Demo' ? 'long-running' : 'repeatable'
    const timezone = cron && 'Europe/Berlin'
    await queues.addWorker({ type, nickname, revision, kind, every: cron ? null : every, cron, timezone })
    return { revision, id: jobIdOf(nickname, revision) }
  }
  const stop = async (nickname: string) => {
    await unwant(redis, names, nickname)
    await redis.hset(names.worker(nickname), 'since', '1')
  }
  const run = (change: Partial<ReconcileContext> = {}) => reconcile({ ...context, ...change })
  const whats = async (change?: Partial<ReconcileContext>) => (await run(change)).map(({ what }) => what)
  const next = async (nickname: string) => (await queues.get('Ticks').getJobScheduler(schedulerIdOf(nickname)))?.next
  return { redis, names, queues, events, warnings, settled, add, stop, run, whats, next }
}

/** Holds jobs of a type as a node does, until the test ends. */
function hold(of: ReturnType<typeof setUp>, type: string): { held: Job[] } {
  const held: Job[] = []
  const ending = new AbortController()
  const connection = connectRedis() as unknown as ConnectionOptions
  const process = (job: Job) => {
    held.push(job)
    return new Promise<void>((resolve) => ending.signal.addEventListener('abort', () => resolve()))
  }
  const worker = new Worker(type, process, { connection, prefix: of.names.queuePrefix, concurrency: 50 })
  worker.on('error', () => {})
  releasers.push(async () => {
    ending.abort()
    await worker.close()
  })
  return { held }
}

test('nothing is done where all is in order: waiting, active, delayed and scheduled', async () => {
  const of = setUp()
  await of.add('Demo', 'active')
  const { held } = hold(of, 'Demo')
  await until(() => held.length === 1)
  await of.add('Ticks', 'ticks')
  await of.add('Nightly', 'nightly')
  const { revision } = await of.add('Demo', 'waits')
  await until(() => held.length === 2)
  const delayed = await of.settled('Demo', 'delayed')
  const options: JobsOptions = { jobId: jobIdOf('delayed', delayed), delay: 60_000 }
  await of.queues.get('Demo').add('delayed', { nickname: 'delayed', revision: delayed }, options)
  expect(revision).toBeGreaterThan(0)
  expect(await of.run()).toEqual([])
  expect(await of.run()).toEqual([])
  expect(of.events).toEqual([])
})

test('an ordinary tick of a scheduler is in order at every moment', async () => {
  const of = setUp()
  await of.add('Ticks', 'quick', 50)
  let ticks = 0
  const connection = connectRedis() as unknown as ConnectionOptions
  const count = async () => void ticks++
  const worker = new Worker('Ticks', count, { connection, prefix: of.names.queuePrefix })
  releasers.push(() => worker.close())
  while (ticks < 10) expect(await of.run({ nodes: [node(50)] })).toEqual([])
})

describe('a wanted worker without a job', () => {
  test('gets one, which is recorded', async () => {
    const of = setUp()
    const revision = await of.settled('Demo', 'lost')
    const message = 'lost is wanted, but had no job in the queue Demo; it was given one.'
    expect(await of.run()).toEqual([{ what: 'job-added', type: 'Demo', nickname: 'lost', message }])
    const job = await of.queues.get('Demo').getJob(jobIdOf('lost', revision))
    expect(job?.data).toEqual({ nickname: 'lost', revision })
    expect(of.events).toEqual([
      {
        ...{ kind: 'repair', severity: 'warning', type: 'Demo', nickname: 'lost', node: '', epoch: null },
        ...{ source: '', message, data: { what: 'job-added' }, key: '' },
      },
    ])
    expect(of.warnings).toEqual([message])
    expect(await of.run()).toEqual([])
  })

  test('gets it after it was removed by hand', async () => {
    const of = setUp()
    const { id } = await of.add('Demo', 'one')
    await of.queues.get('Demo').remove(id)
    expect(await of.whats()).toEqual(['job-added'])
    expect(await (await of.queues.get('Demo').getJob(id))?.getState()).toBe('waiting')
  })

  test('gets it also where a remainder of the old job is in the way', async () => {
    const of = setUp()
    const { id } = await of.add('Demo', 'one')
    await of.redis.lrem(of.queues.get('Demo').toKey('wait'), 1, id)
    expect(await of.whats()).toEqual(['job-added'])
    expect(await of.redis.lrange(of.queues.get('Demo').toKey('wait'), 0, -1)).toEqual([id])
  })

  test('is left to the desk while its command is new', async () => {
    const of = setUp()
    await want(of.redis, of.names, 'Demo', 'new')
    expect(await of.run()).toEqual([])
  })

  test('gets its schedule, as its processor says', async () => {
    const of = setUp()
    await of.settled('Ticks', 'ticks', 'repeatable')
    await of.settled('Nightly', 'nightly', 'repeatable')
    expect(await of.whats()).toEqual(['job-added', 'job-added'])
    expect(await of.queues.get('Ticks').getJobScheduler('s-ticks')).toMatchObject({ every: 60_000 })
    const nightly = await of.queues.get('Nightly').getJobScheduler('s-nightly')
    expect(nightly).toMatchObject({ pattern: '0 3 * * *', tz: 'Europe/Berlin' })
    expect(await of.run()).toEqual([])
  })

  test('waits for a node that knows its schedule', async () => {
    const of = setUp()
    await of.settled('Ticks', 'ticks', 'repeatable')
    await of.run({ nodes: [] })
    expect(await of.run({ nodes: [] })).toEqual([])
    expect(await of.whats()).toEqual(['job-added'])
  })

  test('of a type that no live node has gets its job too, by the second time', async () => {
    const of = setUp()
    await of.settled('Gone', 'x')
    await of.run({ nodes: [] })
    expect(await of.whats({ nodes: [] })).toEqual(['job-added'])
  })

  test('is told with the others where they are many', async () => {
    const of = setUp()
    for (let i = 0; i < 30; i++) await of.settled('Demo', `w${i}`)
    expect(await of.run()).toHaveLength(30)
    expect(of.events).toHaveLength(1)
    expect(of.events[0]?.message).toContain('And 29 more alike.')
    expect(await of.run()).toEqual([])
  })
})

describe('what nobody wants', () => {
  test('and waits, or is delayed, is removed', async () => {
    const of = setUp()
    const { id } = await of.add('Demo', 'stopped')
    await of.queues.get('Demo').add('later', {}, { jobId: 'w-later.1', delay: 60_000 })
    await of.queues.get('Demo').add('first', {}, { jobId: 'w-first.1', priority: 3 })
    await of.stop('stopped')
    expect(await of.whats()).toEqual(['job-removed', 'job-removed', 'job-removed'])
    expect(await of.queues.get('Demo').getJob(id)).toBeUndefined()
    expect(await of.queues.get('Demo').getJobCountByTypes('wait', 'delayed', 'prioritized')).toBe(0)
    expect(of.warnings[0]).toMatch(
      /^The job w-\w+\.\d+ waited in the queue Demo, but nobody wants it; it was removed\.$/,
    )
  })

  test('is left to the desk while the stop is new', async () => {
    const of = setUp()
    await of.add('Demo', 'stopped')
    await unwant(of.redis, of.names, 'stopped')
    expect(await of.run()).toEqual([])
  })

  test('of an earlier command is removed', async () => {
    const of = setUp()
    const { revision } = await of.add('Demo', 'one')
    await of.queues.get('Demo').add('one', {}, { jobId: jobIdOf('one', revision - 1) })
    expect(await of.whats()).toEqual(['job-removed'])
    expect(await of.queues.get('Demo').getJob(jobIdOf('one', revision))).toBeDefined()
  })

  test('but a node holds is left to the node', async () => {
    const of = setUp()
    await of.add('Demo', 'active')
    const { held } = hold(of, 'Demo')
    await until(() => held.length === 1)
    await of.stop('active')
    expect(await of.run()).toEqual([])
  })

  test('and was put there by hand, as any job, stays', async () => {
    const of = setUp()
    await of.queues.get('Demo').add('by hand', { any: 'thing' })
    await of.queues.get('Demo').upsertJobScheduler('by hand', { every: 60_000 }, { name: 'x', data: {} })
    expect(await of.run()).toEqual([])
  })

  test('and is scheduled is removed with the tick that waits', async () => {
    const of = setUp()
    await of.add('Ticks', 'ticks')
    await of.stop('ticks')
    expect(await of.whats()).toEqual(['scheduler-removed'])
    expect(await of.queues.get('Ticks').getJobSchedulersCount()).toBe(0)
    expect(await of.queues.get('Ticks').getJobCountByTypes('wait', 'delayed')).toBe(0)
  })

  test('in the queue of another type is removed there', async () => {
    const of = setUp()
    const { revision } = await of.add('Demo', 'one')
    await of.queues.get('Ticks').add('one', {}, { jobId: jobIdOf('one', revision) })
    expect(await of.whats()).toEqual(['job-removed'])
    expect(await of.queues.get('Demo').count()).toBe(1)
  })
})

describe('done by hand to a queue', () => {
  test.each(['Demo', 'Command'])('a pause of %s is undone', async (type) => {
    const of = setUp()
    await of.queues.get(type).pause()
    expect(await of.run()).toEqual([
      { what: 'queue', type, nickname: '', message: `The queue ${type} was paused; it goes on.` },
    ])
    expect(await of.queues.get(type).isPaused()).toBe(false)
    expect(await of.run()).toEqual([])
  })

  test('a limit of jobs at once or in a time is removed', async () => {
    const of = setUp()
    await of.queues.get('Demo').setGlobalConcurrency(1)
    await of.queues.get('Demo').setGlobalRateLimit(1, 60_000)
    await of.queues.get('Demo').rateLimit(60_000)
    expect(await of.whats()).toEqual(['queue', 'queue'])
    expect(await of.queues.get('Demo').getGlobalConcurrency()).toBeNull()
    expect(await of.queues.get('Demo').getGlobalRateLimit()).toBeNull()
    expect(await of.queues.get('Demo').getRateLimitTtl()).toBeLessThanOrEqual(0)
    expect(await of.run()).toEqual([])
  })

  test('the job of a worker that was paused is taken after the repair', async () => {
    const of = setUp()
    await of.queues.get('Demo').pause()
    await of.add('Demo', 'one')
    const { held } = hold(of, 'Demo')
    await of.run()
    await until(() => held.length === 1)
  })

  test('edited data of a waiting job are put back', async () => {
    const of = setUp()
    const { id, revision } = await of.add('Demo', 'one')
    await (await of.queues.get('Demo').getJob(id))?.updateData({ nickname: 'other' })
    expect(await of.whats()).toEqual(['job-mended'])
    expect((await of.queues.get('Demo').getJob(id))?.data).toEqual({ nickname: 'one', revision })
    expect(await of.run()).toEqual([])
  })

  test('an obliterated queue has its jobs and schedules again', async () => {
    const of = setUp()
    const { id } = await of.add('Demo', 'active')
    const { held } = hold(of, 'Demo')
    await until(() => held.length === 1)
    await of.add('Ticks', 'ticks')
    await of.queues.get('Demo').obliterate({ force: true })
    await of.queues.get('Ticks').obliterate({ force: true })
    expect((await of.whats()).sort()).toEqual(['job-added', 'job-added'])
    await until(() => held.length === 2)
    expect(held[1]?.id).toBe(id)
    expect(await of.queues.get('Ticks').getJobScheduler('s-ticks')).toMatchObject({ every: 60_000 })
    expect(await of.run()).toEqual([])
  })
})

describe('a schedule', () => {
  const edit = async (of: ReturnType<typeof setUp>, repeat: object) => {
    const queue = of.queues.get('Ticks')
    const { name, template } = (await queue.getJobScheduler('s-ticks')) as { name: string; template: object }
    await queue.upsertJobScheduler('s-ticks', repeat as { every: number }, { name, ...template })
  }

  test.each([
    ['another period', { every: 3_600_000 }, 'had been set to every 3600000 ms'],
    ['a cron expression', { pattern: '0 0 1 1 *' }, 'had been set to "0 0 1 1 *" (UTC)'],
    ['a last tick', { every: 60_000, limit: 3 }, 'had been given an end'],
    ['an end', { every: 60_000, endDate: Date.now() + 1e9 }, 'had been given an end'],
  ])('that was given %s by hand is put back', async (_what, repeat, why) => {
    const of = setUp()
    await of.add('Ticks', 'ticks')
    expect(await of.run()).toEqual([])
    await edit(of, repeat)
    const message = `The schedule of ticks ${why}; it is every 60000 ms again.`
    expect(await of.run()).toEqual([{ what: 'scheduler-mended', type: 'Ticks', nickname: 'ticks', message }])
    const mended = await of.queues.get('Ticks').getJobScheduler('s-ticks')
    expect(mended).toMatchObject({ every: 60_000 })
    expect(mended).not.toHaveProperty('limit')
    expect(mended).not.toHaveProperty('endDate')
    expect(await of.next('ticks')).toBeLessThan(Date.now() + 61_000)
    expect(await of.queues.get('Ticks').getJobCountByTypes('wait', 'delayed')).toBe(1)
    expect(await of.run()).toEqual([])
  })

  test('that was removed by hand is there again', async () => {
    const of = setUp()
    await of.add('Ticks', 'ticks')
    await of.queues.get('Ticks').removeJobScheduler('s-ticks')
    expect(await of.whats()).toEqual(['job-added'])
    expect(await of.queues.get('Ticks').getJobScheduler('s-ticks')).toMatchObject({ every: 60_000 })
  })

  test('whose next tick was lost ticks again', async () => {
    const of = setUp()
    await of.add('Ticks', 'ticks', 60_000)
    const queue = of.queues.get('Ticks')
    await of.redis.del(queue.toKey('delayed'), queue.toKey('wait'))
    expect(await of.whats()).toEqual(['scheduler-mended'])
    expect(await queue.getJobCountByTypes('wait', 'delayed')).toBe(1)
    expect(await of.run()).toEqual([])
  })

  test('stays as the worker was started with it, also when the file is edited', async () => {
    const of = setUp()
    await of.add('Ticks', 'ticks')
    expect(await of.run()).toEqual([])
    expect(await of.run({ nodes: [node(5000)] })).toEqual([])
    await edit(of, { every: 5000 })
    expect(await of.whats({ nodes: [node(5000)] })).toEqual(['scheduler-mended'])
    expect(await of.queues.get('Ticks').getJobScheduler('s-ticks')).toMatchObject({ every: 60_000 })
  })

  test('is gone where the file is a long-running one by now, and its worker has a job', async () => {
    const of = setUp()
    const { id } = await of.add('Ticks', 'ticks')
    expect(await of.run()).toEqual([])
    const offer = { ...node().offered.Demo }
    const mixed = [node(60_000, { Ticks: offer }), node()]
    expect(await of.run({ nodes: mixed })).toEqual([]) // to one node it has ticks
    const nodes = [node(60_000, { Ticks: offer })]
    expect(await of.whats({ nodes })).toEqual(['scheduler-removed', 'job-added'])
    expect(await of.queues.get('Ticks').getJob(id)).toBeDefined()
    expect(await of.queues.get('Ticks').getJobSchedulersCount()).toBe(0)
    expect(await of.redis.hmget(of.names.worker('ticks'), 'kind', 'schedule')).toEqual(['long-running', null])
    expect(await of.run({ nodes })).toEqual([])
  })

  test('of a later command counts from then on', async () => {
    const of = setUp()
    await of.add('Ticks', 'ticks')
    await of.run()
    await of.stop('ticks')
    await of.queues.removeWorker({ type: 'Ticks', nickname: 'ticks' })
    await of.add('Ticks', 'ticks', 5000)
    expect(await of.run({ nodes: [node(5000)] })).toEqual([])
  })

  test('of an earlier command is replaced', async () => {
    const of = setUp()
    await of.add('Ticks', 'ticks')
    await of.stop('ticks')
    const revision = await of.settled('Ticks', 'ticks', 'repeatable')
    expect(await of.whats()).toEqual(['scheduler-mended'])
    const scheduler = await of.queues.get('Ticks').getJobScheduler('s-ticks')
    expect(scheduler?.template?.data).toEqual({ nickname: 'ticks', revision })
  })

  test('of the system follows what the nodes say', async () => {
    const of = setUp()
    await of.add('Ticks', 'ticks')
    await of.redis.hset(of.names.worker('ticks'), 'system', '1')
    expect(await of.run()).toEqual([])
    expect(await of.whats({ nodes: [node(5000)] })).toEqual(['scheduler-mended'])
    expect(await of.queues.get('Ticks').getJobScheduler('s-ticks')).toMatchObject({ every: 5000 })
  })
})

test('only the queues asked for are looked at', async () => {
  const of = setUp()
  await of.settled('Demo', 'one')
  await of.settled('Ticks', 'ticks', 'repeatable')
  await of.queues.get('Command').pause()
  expect((await of.run({ types: ['Ticks'] })).map(({ nickname }) => nickname)).toEqual(['ticks'])
})

test('two thousand workers in order are looked at in a moment', async () => {
  const of = setUp()
  const revisions = await Promise.all(Array.from({ length: 2000 }, (_, i) => of.settled('Demo', `w${i}`)))
  await of.queues.get('Demo').addBulk(
    revisions.map((revision, i) => {
      const nickname = `w${i}`
      return { name: nickname, data: { nickname, revision }, opts: { jobId: jobIdOf(nickname, revision) } }
    }),
  )
  await of.run()
  const start = performance.now()
  expect(await of.run()).toEqual([])
  expect(performance.now() - start).toBeLessThan(2000)
})

test('a job on its way from one list to the other is seen in one of them', async () => {
  const of = setUp()
  const { id } = await of.add('Demo', 'one')
  const key = (list: string) => of.queues.get('Demo').toKey(list)
  const connection = connectRedis()
  let moving = true
  const mover = (async () => {
    while (moving) {
      await connection.lmove(key('wait'), key('active'), 'LEFT', 'LEFT')
      await connection.lmove(key('active'), key('wait'), 'LEFT', 'LEFT')
    }
  })()
  for (let i = 0; i < 200; i++) {
    const { idle, active } = await readQueue(of.redis, of.names, 'Demo')
    expect(idle.has(id) || active.has(id)).toBe(true)
  }
  moving = false
  await mover
})

describe('for any queue and fleet', () => {
  const nicknames = fc.constantFrom('a', 'b', 'c')
  const revisions = fc.integer({ min: 1, max: 3 })
  const ids = fc.oneof(
    fc.tuple(nicknames, revisions).map(([nickname, revision]) => jobIdOf(nickname, revision)),
    nicknames.map((nickname) => `repeat:s-${nickname}:5`),
    fc.constantFrom('1', 'w-', 'w-a', 'repeat:x:5'),
  )
  const queues = fc.record({
    idle: fc.array(ids).map((list) => new Set(list)),
    active: fc.array(ids).map((list) => new Set(list)),
    schedulers: fc.array(
      fc.record({
        ...{ id: fc.oneof(nicknames.map(schedulerIdOf), fc.constant('x')), nextMs: fc.constantFrom('5', '6') },
        ...{ every: fc.constantFrom('', '100', '200'), pattern: fc.constant(''), timezone: fc.constant('') },
        ...{ bounds: fc.constantFrom('', '3'), data: fc.constantFrom('', 'x', '{"nickname":"a","revision":1}') },
      }),
    ),
  })
  const fleets = fc
    .array(fc.record({ nickname: nicknames, type: fc.constantFrom('Demo', 'Other'), revision: revisions }))
    .map(
      (list) =>
        new Map<string, Wanted>(
          list.map((one) => [one.nickname, { ...one, kind: '', since: 0, system: false, schedule: '' }]),
        ),
    )

  test('the plan removes nothing that is wanted, and adds only what is wanted and not there', () => {
    fc.assert(
      fc.property(queues, fleets, (lists, fleet) => {
        const settings = { data: new Map(), paused: false, concurrency: '', rateLimit: '', heldBack: false }
        const queue: QueueSnapshot = { ...lists, ...settings }
        const plan = planQueue('Demo', queue, fleet, () => [{ every: 100, cron: null, timezone: null }])
        for (const worker of fleet.values()) {
          const id = jobIdOf(worker.nickname, worker.revision)
          const here = worker.type === 'Demo'
          if (here && plan.unwantedJobs.some((job) => job.id === id)) return false
          const missing = plan.missing.some(({ nickname }) => nickname === worker.nickname)
          if (missing && (!here || queue.idle.has(id) || queue.active.has(id))) return false
        }
        return [...queue.active].every((id) => queue.idle.has(id) || !plan.unwantedJobs.some((job) => job.id === id))
      }),
    )
  })
})
