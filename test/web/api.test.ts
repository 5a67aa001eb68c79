import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { HysasError } from '../../src/errors.js'
import { FOLLOWS } from '../../src/web/follows.js'
import { routes } from '../../src/web/routes.js'
import { problem } from '../../src/web/schemas.js'
import { bearer, startTestWeb, storedEvent, workerView } from './fixture.js'

const { http, fake } = await startTestWeb()
const get = (path: string) => http.get(`/api/v1${path}`).set(...bearer())
const post = (path: string, body: object = {}) =>
  http
    .post(`/api/v1${path}`)
    .set(...bearer())
    .send(body)
const lastCommand = () => fake.commands.at(-1)

describe('every route', () => {
  const bodies: Record<string, object> = { '/workers': { type: 'Demo', nickname: 'Second' } }

  const queries: Record<string, string> = { '/events/counts': '?bucketMs=60000' }

  it.each(routes.map((route) => [route.method, route.path, route] as const))(
    '%s %s answers what its schema says',
    async (method, path, route) => {
      const filled = path.replace('{nickname}', 'DemoName').replace('{operation}', 'reset')
      const answer = await (method === 'get' ? get(filled + (queries[path] ?? '')) : post(filled, bodies[path]))
      expect(answer.status).toBe(route.status ?? 200)
      expect(answer.headers['cache-control']).toBe('no-store')
      expect(() => z.strictObject({ body: route.response }).parse({ body: answer.body })).not.toThrow()
    },
  )

  it('is in the OpenAPI description, and nothing else is', async () => {
    const { body } = await get('/openapi.json')
    expect(body.openapi).toBe('3.1.0')
    const followed = Object.values(FOLLOWS).map(({ path }) => `get ${path}`)
    const described = Object.entries<object>(body.paths).flatMap(([path, of]) =>
      Object.keys(of).map((m) => `${m} ${path}`),
    )
    const served = [
      ...routes.map(({ method, path }) => `${method} ${path}`),
      ...followed,
      'get /stream',
      'get /openapi.json',
    ]
    expect(described.sort()).toEqual(served.sort())
    const start = body.paths['/workers'].post
    expect(start['x-role']).toBe('operator')
    expect(start.requestBody.content['application/json'].schema.required).toEqual(['type', 'nickname'])
    const logs = body.paths['/workers/{nickname}/logs'].get
    expect(logs.parameters[0]).toMatchObject({ name: 'nickname', in: 'path', required: true })
    expect(logs.parameters[1]).toMatchObject({ name: 'level', in: 'query', required: false })
  })
})

describe('commands', () => {
  it('start a worker in the name of who asks', async () => {
    const answer = await post('/workers', { type: 'Demo', nickname: 'Second', params: { everyMs: 5 }, timeoutMs: 500 })
    expect(answer.status).toBe(201)
    const by = expect.stringMatching(/^web:operator .*127\.0\.0\.1$/)
    expect(lastCommand()).toEqual({ method: 'start', args: ['Demo', 'Second', { everyMs: 5 }, { timeoutMs: 500, by }] })
  })

  it('that only wait in the queue are answered as accepted', async () => {
    fake.client.start = async () => ({
      ...{ type: 'Demo', nickname: 'Later', revision: 9, result: 'queued', node: '', pid: null, epoch: null, ms: 1 },
    })
    expect((await post('/workers', { type: 'Demo', nickname: 'Later', noWait: true })).status).toBe(202)
  })

  it('stop, restart and call operations', async () => {
    await post('/workers/DemoName/stop')
    expect(lastCommand()).toMatchObject({ method: 'stop', args: ['DemoName', {}] })
    await post('/workers/DemoName/restart', { params: { everyMs: 9 } })
    expect(lastCommand()).toMatchObject({ method: 'restart', args: ['DemoName', { params: { everyMs: 9 } }] })
    const answer = await post('/workers/DemoName/operations/reset', { args: { to: 3 } })
    expect(answer.body).toEqual({ value: { echoed: { to: 3 } } })
    expect(lastCommand()).toMatchObject({ method: 'send', args: ['DemoName', 'reset', { to: 3 }, {}] })
  })

  it('shut the nodes down after the answer', async () => {
    const answer = await post('/shutdown', { forget: true })
    expect(answer.status).toBe(202)
    expect(lastCommand()).toMatchObject({ method: 'shutdown', args: [{ forget: true }] })
  })

  it('need no body where they take none', async () => {
    expect((await http.post('/api/v1/workers/DemoName/stop').set(...bearer())).status).toBe(200)
  })
})

describe('errors', () => {
  it.each([
    ['UNKNOWN_TYPE', 404],
    ['NAME_TAKEN', 409],
    ['NO_NODE', 503],
    ['BAD_PARAMS', 400],
    ['TIMEOUT', 504],
  ] as const)('%s come with status %i, sentence and remedy', async (code, status) => {
    fake.failing = new HysasError(code, { nickname: 'A', type: 'Demo' })
    const answer = await post('/workers/DemoName/stop')
    fake.failing = undefined
    expect(answer.status).toBe(status)
    expect(problem.parse(answer.body).code).toBe(code)
  })

  it('of what is not there is 404', async () => {
    expect((await get('/workers/Nobody')).body.code).toBe('UNKNOWN_WORKER')
    const answer = await get('/nothing')
    expect(answer.status).toBe(404)
    expect(answer.body).toMatchObject({ code: 'NOT_FOUND', details: { path: '/api/v1/nothing' } })
  })

  it.each(['/events?limit=many', '/events?surprise=1', '/events?severity=bad', '/workers/DemoName/logs?limit=5000'])(
    'of the query %s is 400',
    async (path) => {
      expect((await get(path)).body.code).toBe('BAD_REQUEST')
    },
  )
})

describe('events', () => {
  it('are asked for by kind, time and place', async () => {
    await get("/events?kind=alert&kind=crashed&since=5&limit=7&source=x'%20OR%201=1--")
    const source = "x' OR 1=1--"
    expect(fake.queries.at(-1)).toEqual({ kind: ['alert', 'crashed'], since: 5, limit: 7, source })
  })

  it('come as CSV that no spreadsheet runs', async () => {
    fake.events = [storedEvent({ source: '=cmd()', message: 'a "quoted"\u001b[31m, text', data: null })]
    const answer = await get('/events?format=csv')
    expect(answer.headers['content-type']).toMatch(/^text\/csv/)
    expect(answer.headers['content-disposition']).toContain('events.csv')
    const [head, row] = answer.text.split('\r\n')
    expect(head).toBe('id,time,kind,severity,type,nickname,node,epoch,source,message,data,key')
    expect(row).toBe(
      `1790000000000-0,2026-09-21T14:13:20.000Z,alert,warning,SshGuard,gate-1,node-1,1,'=cmd(),"a ""quoted"" [31m, text",,`,
    )
  })
})

describe('/metrics', () => {
  it('gives the workers of the node, and forgets those that have left', async () => {
    const { type, nickname } = workerView()
    const stats = {
      status: 'started',
      published: 3,
      received: 2,
      errors: 1,
      lost: 7,
      memory_mb: 4,
      loop_delay_ms: null,
    }
    let workers = [{ type, nickname, ...stats, restarts: 5, age: 0.5 }]
    const { http } = await startTestWeb({ node: { name: 'n1', ready: () => true, workers: () => workers } })
    const scrape = async () => (await http.get('/metrics').set(...bearer())).text
    const labels = 'type="Demo",nickname="DemoName",node="n1"'
    expect(await scrape()).toContain(`hysas_worker_published_total{${labels}} 3`)
    expect(await scrape()).toContain(`hysas_worker_messages_lost_total{${labels}} 7`)
    const text = await scrape()
    expect(text).toContain(`hysas_worker_published_total{${labels}} 3`)
    expect(text).toContain(`hysas_worker_heartbeat_age_seconds{${labels}} 0.5`)
    expect(text).not.toContain('event_loop_delay_milliseconds{type')
    workers = []
    expect(await scrape()).not.toContain('DemoName')
  })
})
