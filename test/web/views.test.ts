import { describe, expect, it } from 'vitest'
import { FlowRates } from '../../src/web/flow-rates.js'
import type { Fleet, PageWorker } from '../../src/web/page/fleet.js'
import { graphOf } from '../../src/web/page/graph.js'
import { layersOf } from '../../src/web/page/layers.js'
import { runsOf } from '../../src/web/page/life.js'
import { problemOf, problemsByField } from '../../src/web/page/params.js'
import { problemsOf } from '../../src/web/page/problems.js'
import { hrefOf, routeOf } from '../../src/web/page/route.js'
import { select, selectionOf } from '../../src/web/page/selection.js'
import { canTap } from '../../src/web/page/tappable.js'
import { nodeView, storedEvent, typeView, workerView } from './fixture.js'

const worker = (change: Parameters<typeof workerView>[0]): PageWorker => ({
  ...workerView(change),
  ...{ rate_in: 0, rate_out: 1, rate_lost: 0, rate_to: {} },
  ...{ beatAt: 0, beatTime: 0, flowedAt: null, watchedAt: Number.NEGATIVE_INFINITY, lostAt: null, droppedAt: null },
})
const fleetOf = (workers: PageWorker[], change: Partial<Fleet> = {}): Fleet => ({
  ...{
    link: 'live',
    refusal: '',
    known: true,
    asOf: new Date(),
    name: 'HySAS',
    servedBy: 'node-1',
    nodes: [nodeView()],
    gone: [],
    types: [typeView()],
  },
  ...{ workers: new Map(workers.map((one) => [one.nickname, one])), flows: [] },
  ...{ events: [], total: { in: 0, out: 0 }, history: [] },
  ...change,
})
const flow = (from: string, to: string, rate = 1, lost = 0) => ({
  ...{ from, to, channel: from === 'news' ? from : `${from}.Pub`, by: [from], published: 1, lost, rate, lost_rate: 0 },
})

describe('an address', () => {
  it('names view, worker and query, and what it does not know is the fleet', () => {
    const { view, name, query } = routeOf(hrefOf('worker', 'a b', { level: 'warn', none: '' }))
    expect([view, name, query.toString()]).toEqual(['worker', 'a b', 'level=warn'])
    expect(['', '#/nonsense', '#/worker', '#/worker/%ff'].map((hash) => routeOf(hash).view)).toEqual(
      Array(4).fill('fleet'),
    )
  })
})

it('a channel can be tapped unless it is one of the fleet itself to which no worker publishes', () => {
  const fits = (channel: string) => canTap('HySAS', channel)
  expect(['threat-feed', 'HySASx', 'HySAS.Worker.Demo.a.Pub', 'x.HySAS'].map(fits)).toEqual(Array(4).fill(true))
  const own = ['HySAS', 'HySAS.Worker.Demo.a.Fb', 'HySAS.Worker.Demo.a.b.Pub', 'HySAS:events', 'HySAS.Worker.x.Pub']
  expect(own.map(fits)).toEqual(Array(5).fill(false))
})

describe('the list of workers', () => {
  const all = [
    worker({ nickname: 'b', memory_mb: 5 }),
    worker({ nickname: 'a', memory_mb: 9, node: 'node-2' }),
    worker({ nickname: 'z', status: 'failed', memory_mb: 1 }),
    worker({ nickname: 'off', wanted: false, status: 'terminated', memory_mb: null }),
  ]
  const names = (query: string) => select(all, selectionOf(new URLSearchParams(query))).map(({ nickname }) => nickname)

  it('has those in trouble first and those at rest last', () => {
    expect(names('')).toEqual(['z', 'a', 'b', 'off'])
  })

  it('is searched, filtered and sorted as the address says', () => {
    expect(names('q=NODE-2')).toEqual(['a'])
    expect(names('status=running&node=node-1')).toEqual(['b'])
    expect(names('sort=-memory')).toEqual(['a', 'b', 'z', 'off'])
  })
})

describe('problems', () => {
  const titles = (fleet: Fleet) => problemsOf(fleet).map(({ title }) => title)

  it('has a worker that no node has taken, and none that waits for the first day of its calendar', () => {
    const waits = { status: 'queued' as const, wanted: true, since: Date.now() / 1000 - 3600 }
    expect(titles(fleetOf([worker({ nickname: 'a', ...waits })]))).toEqual(['a waits for a node'])
    const nextMonth = { ...waits, kind: 'repeatable' as const, next_tick: Date.now() / 1000 + 30 * 86_400 }
    expect(titles(fleetOf([worker({ nickname: 'b', ...nextMonth })]))).toEqual([])
  })

  it('are none while all is well', () => {
    expect(
      titles(fleetOf([worker({ nickname: 'a' }), worker({ nickname: 'b', wanted: false, status: 'terminated' })])),
    ).toEqual([])
  })

  it('tell of nodes, processors, the event store and lost messages too, with since when', () => {
    const lost = { ...worker({ nickname: 'a', lost: 3, lost_by: { 'x.Pub': 3 } }), lostAt: Date.now() - 1000 }
    const away = 'The event store can not be written: connection refused.'
    const found = problemsOf(
      fleetOf([lost], {
        nodes: [
          nodeView({ problems: [away, 'Redis does not answer.'], problems_since: { [away]: 45 } }),
          nodeView({ name: 'n2', problems: [away], problems_since: { [away]: 42 } }),
        ],
        types: [typeView({ error: 'Demo.ts:3:1: broken', error_since: 7 })],
      }),
    )
    expect(found.map(({ title }) => title).sort()).toEqual([
      'The event store is away',
      'The processor Demo can not be loaded',
      'Trouble around node-1',
      'a has lost 3 messages',
    ])
    expect(found.find(({ title }) => title.includes('store'))?.since).toBe(42_000)
    expect(found.find(({ title }) => title.includes('processor'))?.since).toBe(7000)
    expect(found.every(({ next }) => next.length > 20)).toBe(true)
  })

  it('of lost messages are over when none has been lost for a while', () => {
    const lost = { ...worker({ nickname: 'a', lost: 3 }), lostAt: Date.now() - 3_600_000 }
    expect(titles(fleetOf([lost]))).toEqual([])
  })

  it('tell of each way in which a worker is not heard of, and whose it is', () => {
    const told = (change: Parameters<typeof workerView>[0]) => {
      const [problem] = problemsOf(fleetOf([worker({ nickname: 'a', node: 'n1', ...change })]))
      return problem && `${problem.title}. ${problem.cause} ${problem.next}`
    }
    expect(told({ life: 'wedged' })).toMatch(/a does not react\. It beats no more.* n1 is up.*ends the process/)
    expect(told({ life: 'cut off' })).toMatch(/a is cut off\. .*its node n1: .*another node by itself/)
    expect(told({ status: 'disappeared', life: 'dead' })).toMatch(/a has disappeared\. .*begins anew by itself/)
    expect(told({ life: 'dead' })).toMatch(/a is dead\. /)
    expect(told({ life: 'busy' })).toBeUndefined()
    expect(told({ status: 'disappeared', life: '', wanted: false, foreign: true })).toMatch(/Python HySAS.*not ours/)
    expect(told({ life: 'ok', wanted: false, foreign: true })).toBeUndefined()
  })

  it('of messages lost before the page was opened are told with when', () => {
    const lost = { ...worker({ nickname: 'a', lost: 3 }), lostAt: Date.now() - 60_000 }
    expect(problemsOf(fleetOf([lost]))[0]?.since).toBe(lost.lostAt)
  })

  it('tell of a node that is gone without having said so', () => {
    const gone = [{ name: 'n2', host: 'beta', workers: 3, heart_beat: 42, age: 9 }]
    const cut = ['a', 'b'].map((nickname) => worker({ nickname, node: 'n2', life: 'cut off' }))
    const [problem, ...others] = problemsOf(fleetOf(cut, { gone }))
    expect(problem).toMatchObject({ title: 'The node n2 is gone', since: 42_000, grave: true })
    expect(problem?.cause).toContain('Not heard of with it: a, b.')
    expect(others).toEqual([])
  })

  it('tell that no node is up', () => {
    expect(titles(fleetOf([], { nodes: [] }))).toEqual(['No node is up'])
    expect(titles(fleetOf([], { nodes: [], known: false, link: 'lost' }))).toEqual([])
  })
})

describe('the graph', () => {
  const workers = ['a', 'b', 'c'].map((nickname) => worker({ nickname, type: nickname === 'c' ? 'Other' : 'Demo' }))
  const flows = [
    flow('a', 'b', 2),
    flow('b', 'c', 3, 7),
    flow('a', 'c'),
    flow('c', 'a'),
    flow('a', 'a'),
    flow('news', 'b'),
  ]
  const fleet = fleetOf(workers, { flows })

  it('has a channel that is no own one between who publishes to it and who hears it', () => {
    const teller = { ...worker({ nickname: 'b', published_to: { c: 3, unheard: 2 } }), rate_to: { c: 1.5 } }
    const flows = [{ ...flow('c', 'c', 2), channel: 'c', by: ['b'] }]
    const { parts, edges } = graphOf(fleetOf([teller, worker({ nickname: 'c' })], { flows }), 'worker', () => true)
    expect(parts.map(({ id }) => id).sort()).toEqual(['channel c', 'channel unheard', 'worker b', 'worker c'])
    expect(edges.map(({ id, rate }) => `${id}: ${rate}`).sort()).toEqual([
      'channel c > worker c: 2',
      'worker b > channel c: 1.5',
      'worker b > channel unheard: 0',
    ])
  })

  it('calls silent who published and has neither heard nor told anything for a while of being watched', () => {
    const [now, long] = [performance.now(), performance.now() - 60_000]
    const of = (nickname: string, flowedAt: number | null, change = {}, watchedAt = long) => ({
      ...{ ...worker({ nickname, published: 5, ...change }), rate_in: 0, rate_out: 0, flowedAt, watchedAt },
    })
    const all = [
      ...[of('a', null), of('b', long), of('c', now), of('d', long, { kind: 'repeatable' as const })],
      ...[of('e', null, {}, now), of('f', long, {}, now)],
    ]
    const { parts } = graphOf(fleetOf(all), 'worker', () => true)
    expect(parts.map(({ look }) => look)).toEqual(['silent', 'silent', 'good', 'good', 'good', 'good'])
  })

  it('has workers, and channels that no worker publishes to', () => {
    const { parts, edges } = graphOf(fleet, 'worker', () => true)
    expect(parts.map(({ id }) => id).sort()).toEqual(['channel news', 'worker a', 'worker b', 'worker c'])
    expect(edges.find(({ id }) => id === 'worker b > worker c')).toMatchObject({ rate: 3, lost: 7 })
  })

  it('by type adds up what goes between them', () => {
    const { edges } = graphOf(fleet, 'type', () => true)
    expect(edges.find(({ id }) => id === 'type Demo > type Other')).toMatchObject({ rate: 4, lost: 7 })
  })

  it('is laid out from left to right, circles included, and nothing lies on another', () => {
    const known = fleetOf(workers, { flows: flows.filter(({ from }) => from !== 'news') })
    const graph = graphOf(known, 'worker', () => true)
    const { places, ways } = layersOf(graph)
    const x = (id: string) => places.get(id)?.x ?? -1
    expect(x('worker a')).toBeLessThan(x('worker b'))
    expect(x('worker b')).toBeLessThan(x('worker c'))
    expect(ways.get('worker a > worker c')).toHaveLength(1)
    const at = [...places.values()].map((place) => `${place.x} ${place.y}`)
    expect(new Set(at).size).toBe(at.length)
  })
})

describe('the life of a worker', () => {
  it('is its runs, each with its node and its end', () => {
    const event = (id: number, kind: string, node: string) =>
      storedEvent({ id: `${id}-0`, time: id, kind, node, message: kind, source: '' })
    const events = [
      ...[event(1, 'started', 'n1'), event(2, 'crashed', 'n1'), event(3, 'started', 'n2'), event(4, 'started', 'n1')],
      ...[event(5, 'crashed', 'n1'), event(6, 'failed', 'n1')],
    ]
    expect(runsOf(events.reverse(), false).map(({ from, to, node, end }) => [from, to, node, end])).toEqual([
      [1, 2, 'n1', 'crashed'],
      [3, 4, 'n2', 'restarted'],
      [4, 5, 'n1', 'failed'],
    ])
    expect(runsOf([event(1, 'started', 'n1')], true)).toMatchObject([{ to: null, end: '' }])
  })
})

describe('a form', () => {
  const field = {
    name: 'tries',
    kind: 'number',
    description: '',
    note: '',
    required: true,
    empty: undefined,
    standard: undefined,
    choices: [],
  } as const
  const bounds = { integer: true, min: 1, max: 9, pattern: undefined }

  it('says in place what does not fit', () => {
    const said = ['', 'x', '1.5', '0', '10', '5'].map((value) => problemOf({ ...field, ...bounds }, value))
    expect(said.map((one) => one?.slice(0, 12))).toEqual([
      'This is need',
      'This is not ',
      'This must be',
      'The least is',
      'The most is ',
      undefined,
    ])
  })

  it('puts what the API refuses beside the field that it is about', () => {
    const fields = [{ ...field, ...bounds }]
    expect(problemsByField(fields, 'tries: given 3, wanted 4')).toEqual({
      known: { tries: 'tries: given 3, wanted 4' },
      all: true,
    })
    expect(problemsByField(fields, 'tries: bad; other: bad').all).toBe(false)
    for (const name of ['size(mb', 'a.b*', '[x]', 'c++', '$ref\\']) {
      const named = [{ ...field, ...bounds, name }]
      expect(problemsByField(named, `"${name}": bad`)).toEqual({ known: { [name]: `"${name}": bad` }, all: true })
      expect(problemsByField(named, 'a-bbb: bad').all).toBe(false)
    }
  })
})

describe('rates of flows', () => {
  it('are what the counters have grown, and never less than nothing', () => {
    const rates = new FlowRates()
    const read = (published: number, lost: number) => [{ from: 'a', to: 'b', channel: 'c', by: [], published, lost }]
    expect(rates.take(read(100, 0), 1000)).toBe(true)
    expect(rates.now()).toMatchObject([{ rate: 0, lost_rate: 0 }])
    rates.take(read(140, 6), 3000)
    expect(rates.now()).toMatchObject([{ rate: 20, lost_rate: 3 }])
    rates.take(read(1, 0), 5000)
    expect(rates.now()).toMatchObject([{ rate: 0, lost_rate: 0 }])
    expect(rates.take(read(1, 0), 7000)).toBe(false)
  })
})
