import { statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MAX_FAILED } from '../../src/web/auth.js'
import { routes } from '../../src/web/routes.js'
import { bearer, startTestWeb, TOKEN, VIEWER } from './fixture.js'

const { http, fake, web } = await startTestWeb()
const own = `http://127.0.0.1:${web.port}`

const paths: [method: 'get' | 'post' | 'put' | 'patch', path: string][] = [
  ...routes.map(
    ({ method, path }) => [method, `/api/v1${path.replace(/\{\w+\}/g, 'Some')}`] as [typeof method, string],
  ),
  ['get', '/'],
  ['get', '/main.js'],
  ['get', '/metrics'],
  ['get', '/api/v1/stream'],
  ['get', '/api/v1/openapi.json'],
  ['get', '/api/v1/tap?channel=TestWeb.Worker.Demo.DemoName.Pub'],
  ['get', '/api/v1/workers/DemoName/logs/stream'],
  ['get', '/queues'],
  ['get', '/queues/static/js/main.js'],
  ['get', '/queues/api/queues'],
  ['get', '/queues/api/redis/stats'],
  ['post', '/queues/api/queues/Command/add'],
  ['put', '/queues/api/queues/pause'],
  ['put', '/queues/api/queues/Demo/obliterate'],
  ['patch', '/queues/api/queues/Demo/job-schedulers/x'],
  ['get', '/nothing/here'],
]

/** Logs in as a browser does, and gives the cookie. */
async function cookieOf(token: string): Promise<string> {
  const answer = await http.get('/login').query({ token })
  return answer.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
}

describe('the token', () => {
  it.each(paths)('is wanted by %s %s', async (method, path) => {
    const answer = await http[method](path).send(method === 'get' ? undefined : {})
    expect(answer.status).toBe(401)
    expect(answer.body).toMatchObject({ code: 'UNAUTHORIZED', remedy: expect.any(String) })
  })

  it('is not wanted by /healthz and /readyz', async () => {
    expect((await http.get('/healthz')).status).toBe(200)
    expect((await http.get('/readyz')).status).toBe(200)
  })

  it('is taken from the header', async () => {
    expect((await http.get('/api/v1/workers').set(...bearer())).status).toBe(200)
    expect((await http.get('/api/v1/workers').set(...bearer('wrong'))).status).toBe(401)
    expect((await http.get('/api/v1/workers').set('Authorization', 'Basic eDp5')).status).toBe(401)
  })

  it('is not taken from the query of any other path', async () => {
    expect((await http.get('/api/v1/workers').query({ token: TOKEN })).status).toBe(401)
  })

  it('becomes a cookie that no script and no other site can use, and leaves the address', async () => {
    const answer = await http.get('/login').query({ token: TOKEN })
    expect(answer.status).toBe(303)
    expect(answer.headers.location).toBe('/')
    const cookie = answer.headers['set-cookie']?.[0] ?? ''
    expect(cookie).toMatch(/HttpOnly/)
    expect(cookie).toMatch(/SameSite=Strict/)
    expect(cookie).toMatch(/Path=\//)
    expect(cookie).not.toContain(TOKEN)
    expect((await http.get('/api/v1/workers').set('Cookie', cookie.split(';')[0] ?? '')).status).toBe(200)
  })

  it('can be entered in the form, from our own page only', async () => {
    const form = () => http.post('/login').type('form').send({ token: TOKEN })
    expect((await form().set('Origin', own)).status).toBe(303)
    expect((await form().set('Origin', 'https://evil.example')).status).toBe(403)
    expect((await form()).status).toBe(403)
  })

  it('that is missing gives a browser a page that says what to do', async () => {
    const answer = await http.get('/').set('Accept', 'text/html')
    expect(answer.status).toBe(401)
    expect(answer.headers['content-type']).toMatch(/html/)
    expect(answer.text).toContain('hysas link')
    expect(answer.text).toContain('<form method="post" action="/login">')
  })

  it('that was generated lies in the data folder, for its owner only, and stays', async () => {
    const first = await startTestWeb({ settings: { token: undefined, viewerToken: undefined } })
    const file = join(first.settings.dataDir, 'token')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const link = new URL(first.web.url)
    const cookie = (await first.http.get(`${link.pathname}${link.search}`)).headers['set-cookie']?.[0]?.split(';')[0]
    const second = await startTestWeb({ settings: first.settings })
    expect(new URL(second.web.url).search).toBe(link.search)
    expect((await second.http.get('/api/v1/nodes').set('Cookie', String(cookie))).status).toBe(200)
  })

  it('must be configured for a host that others reach', async () => {
    await expect(startTestWeb({ settings: { host: '0.0.0.0', token: undefined } })).rejects.toMatchObject({
      code: 'OPEN_HOST',
    })
  })
})

describe('guessing', () => {
  it('is slowed down by 429, while who is in stays in', async () => {
    const { http } = await startTestWeb()
    const login = await http.get('/login').query({ token: TOKEN })
    const cookie = login.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
    const statuses: number[] = []
    for (let i = 0; i < MAX_FAILED + 2; i++)
      statuses.push((await http.get('/metrics').set(...bearer(`guess ${i}`))).status)
    expect(statuses[0]).toBe(401)
    expect(statuses.slice(-3)).toEqual([429, 429, 429])
    const even = await http.get('/metrics').set(...bearer())
    expect(even.status).toBe(429)
    expect(Number(even.headers['retry-after'])).toBeGreaterThan(0)
    expect((await http.get('/login').query({ token: TOKEN })).status).toBe(429)
    expect((await http.get('/metrics').set('Cookie', cookie)).status).toBe(200)
    expect((await http.get('/healthz')).status).toBe(200)
  })
})

describe('a viewer', () => {
  it.each(routes.filter(({ method }) => method === 'post').map(({ path }) => path))(
    'may not post to %s',
    async (path) => {
      const before = fake.commands.length
      const answer = await http
        .post(`/api/v1${path.replace(/\{\w+\}/g, 'Some')}`)
        .set(...bearer(VIEWER))
        .send({})
      expect(answer.status).toBe(403)
      expect(answer.body.code).toBe('FORBIDDEN')
      expect(fake.commands.length).toBe(before)
    },
  )

  it('may look at everything', async () => {
    for (const path of ['/api/v1/workers', '/api/v1/openapi.json', '/metrics', '/queues/api/queues']) {
      expect((await http.get(path).set(...bearer(VIEWER))).status).toBe(200)
    }
  })

  it('may change nothing on Bull Board', async () => {
    for (const path of ['pause', 'Command/pause', 'Command/obliterate', 'Command/empty']) {
      expect(
        (
          await http
            .put(`/queues/api/queues/${path}`)
            .set(...bearer(VIEWER))
            .send({})
        ).status,
      ).toBe(403)
    }
    const answer = await http
      .post('/queues/api/queues/Command/add')
      .set(...bearer(VIEWER))
      .send({ name: 'start' })
    expect(answer.status).toBe(403)
  })
})

describe('another site', () => {
  it('can not post by the cookie of a visitor', async () => {
    const cookie = await cookieOf(TOKEN)
    const post = () => http.post('/api/v1/workers/DemoName/stop').set('Cookie', cookie).send({})
    expect((await post().set('Origin', 'https://evil.example')).status).toBe(403)
    expect((await post().set('Origin', 'null')).status).toBe(403)
    expect((await post().set('Origin', own.replace(/:\d+$/, ':1'))).status).toBe(403)
    expect((await post().set('Origin', own).set('Sec-Fetch-Site', 'cross-site')).status).toBe(403)
    expect((await post()).status).toBe(403)
    expect((await post().set('Origin', own)).status).toBe(200)
    expect((await post().set('Sec-Fetch-Site', 'same-origin')).status).toBe(200)
  })

  it('can not post to Bull Board either', async () => {
    const cookie = await cookieOf(TOKEN)
    const answer = await http
      .put('/queues/api/queues/pause')
      .set('Cookie', cookie)
      .set('Origin', 'https://evil.example')
    expect(answer.status).toBe(403)
  })

  it('can not post by a header, where it says whence it comes', async () => {
    const post = () =>
      http
        .post('/api/v1/workers/DemoName/stop')
        .set(...bearer())
        .send({})
    expect((await post().set('Origin', 'https://evil.example')).status).toBe(403)
    expect((await post()).status).toBe(200)
  })

  it('can not point its own name at us', async () => {
    for (const host of [
      'evil.example',
      `evil.example:${web.port}`,
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '10.1.2.3',
    ]) {
      const answer = await http
        .get('/api/v1/workers')
        .set(...bearer())
        .set('Host', host)
      expect(answer.status, host).toBe(403)
    }
    for (const host of ['localhost', `localhost:${web.port}`, '127.0.0.1:8080', '[::1]:3200']) {
      expect(
        (
          await http
            .get('/api/v1/workers')
            .set(...bearer())
            .set('Host', host)
        ).status,
        host,
      ).toBe(200)
    }
  })

  it('can not frame the page, nor have it run a script of its own', async () => {
    const { headers } = await http.get('/api/v1/workers').set(...bearer())
    const policy = headers['content-security-policy'] ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe-inline')
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['referrer-policy']).toBe('same-origin')
    expect(headers['x-powered-by']).toBeUndefined()
    const board = (await http.get('/queues').set(...bearer())).headers['content-security-policy'] ?? ''
    expect(board).toContain("script-src 'self';")
  })
})

describe('a request', () => {
  const post = (body: string | object) =>
    http
      .post('/api/v1/workers')
      .set(...bearer())
      .set('Content-Type', 'application/json')
      .send(body)

  it('of more than a megabyte is refused', async () => {
    const answer = await post(
      JSON.stringify({ type: 'Demo', nickname: 'Big', params: { text: 'x'.repeat(1_100_000) } }),
    )
    expect(answer.status).toBe(413)
    expect(answer.body.code).toBe('TOO_LARGE')
    const board = await http
      .post('/queues/api/queues/Command/add')
      .set(...bearer())
      .send({ name: 'start', data: { text: 'x'.repeat(1_100_000) } })
    expect(board.status).toBe(413)
  })

  it('whose body is not said to be JSON is refused, and not taken for one without a body', async () => {
    const restart = () => http.post('/api/v1/workers/DemoName/restart').set(...bearer())
    const answer = await restart().set('Content-Type', 'application/x-www-form-urlencoded').send('{"noWait":true}')
    expect(answer.status).toBe(400)
    expect(answer.body).toMatchObject({ code: 'BAD_REQUEST', message: expect.stringContaining('application/json') })
    expect((await restart()).status).toBe(200)
    expect((await restart().set('Content-Length', '0')).status).toBe(200)
  })

  it.each([
    ['not JSON', '{"type":'],
    ['a list', '[]'],
    ['an unknown key', '{"type":"Demo","nickname":"A","surprise":1}'],
    ['parameters of the wrong kind', '{"type":"Demo","nickname":"A","params":[1]}'],
    ['__proto__', '{"type":"Demo","nickname":"A","__proto__":{"admin":true}}'],
    ['__proto__ further down', '{"type":"Demo","nickname":"A","params":{"__proto__":{"x":1}}}'],
    ['constructor', '{"type":"Demo","nickname":"A","constructor":{"prototype":{}}}'],
  ])('with %s is refused with a reason', async (_, body) => {
    const before = fake.commands.length
    const answer = await post(body)
    expect(answer.status).toBe(400)
    expect(answer.body).toMatchObject({ code: 'BAD_REQUEST', message: expect.any(String) })
    expect(fake.commands.length).toBe(before)
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })

  it.each(['../x', 'a*b', 'a\nb', 'a:b:c', 'x'.repeat(100_000), '🐟', '', '1a'])(
    'for the nickname %j is refused',
    async (nickname) => {
      const answer = await post({ type: 'Demo', nickname })
      expect(answer.status).toBe(400)
      expect(answer.body.code).toBe('BAD_NICKNAME')
      expect(answer.text.length).toBeLessThan(2000)
    },
  )

  it.each(['../x', 'demo', 'Command', 'data:text/javascript,1'])('for the type %j is refused', async (type) => {
    const answer = await post({ type, nickname: 'A' })
    expect(answer.status).toBe(400)
    expect(answer.body.code).toBe('BAD_TYPE')
  })

  it.each(['/api/v1/workers/%0A', '/api/v1/workers/..%2fx', '/api/v1/workers/%1b[31m/logs'])(
    'for %s is refused',
    async (path) => {
      const answer = await http.get(path).set(...bearer())
      expect(answer.status).toBe(400)
      expect(answer.body.code).toBe('BAD_NICKNAME')
    },
  )

  it('that can not be decoded is refused', async () => {
    expect((await http.get('/api/v1/workers/%ff').set(...bearer())).status).toBe(400)
  })

  it('for a file outside the page finds nothing', async () => {
    for (const path of ['/..%2f..%2fpackage.json', '/%2e%2e/package.json', '/.hysas/token']) {
      expect([400, 403, 404]).toContain((await http.get(path).set(...bearer())).status)
    }
  })
})

describe('the server', () => {
  it('takes the next port where the configured one is taken', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => holder.once('listening', resolve))
    const { port } = holder.address() as { port: number }
    const { web } = await startTestWeb({ settings: { port } })
    expect(web.port).toBeGreaterThan(port)
    expect(web.url).toContain(`:${web.port}/`)
    await new Promise((resolve) => holder.close(resolve))
  })

  it('says so when it can not listen', async () => {
    await expect(startTestWeb({ settings: { host: '203.0.113.7' } })).rejects.toMatchObject({ code: 'PORT' })
  })

  it('is not ready while the node is not', async () => {
    const { http } = await startTestWeb({ node: { name: 'n', ready: () => false, workers: () => [] } })
    expect((await http.get('/readyz')).status).toBe(503)
    expect((await http.get('/healthz')).status).toBe(200)
  })

  it('keeps an unforeseen error for its log', async () => {
    const { http, fake } = await startTestWeb()
    fake.failing = new Error('redis://user:planted-secret@host')
    const answer = await http.get('/api/v1/workers').set(...bearer())
    expect(answer.status).toBe(500)
    expect(answer.body.code).toBe('INTERNAL')
    expect(answer.text).not.toContain('planted-secret')
  })
})
