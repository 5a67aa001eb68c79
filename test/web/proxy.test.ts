import { describe, expect, it } from 'vitest'
import { bearer, startTestWeb, TOKEN } from './fixture.js'

describe('under a base path', () => {
  it('all is there, and nothing at the root but health', async () => {
    const { http, web } = await startTestWeb({ settings: { basePath: '/ops/hysas' } })
    expect(new URL(web.url).pathname).toBe('/ops/hysas/login')
    expect(new URL(web.publicUrl).pathname).toBe('/ops/hysas/')
    const login = await http.get('/ops/hysas/login').query({ token: TOKEN })
    expect(login.headers.location).toBe('/ops/hysas/')
    expect(login.headers['set-cookie']?.[0]).toMatch(/Path=\/ops\/hysas;/)
    const cookie = login.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
    const page = await http.get('/ops/hysas/').set('Cookie', cookie)
    expect(page.status).toBe(200)
    expect(page.text).not.toMatch(/(?:src|href)="\//)
    const script = await http.get('/ops/hysas/main.js').set('Cookie', cookie)
    expect(script.status).toBe(200)
    expect(script.headers).toMatchObject({ 'cache-control': 'no-cache', etag: expect.any(String) })
    expect((await http.get('/ops/hysas/api/v1/workers').set('Cookie', cookie)).status).toBe(200)
    const board = await http.get('/ops/hysas/queues').set('Cookie', cookie)
    expect(board.text).toContain('/ops/hysas/queues/')
    const { body } = await http.get('/ops/hysas/api/v1/openapi.json').set('Cookie', cookie)
    expect(body.servers).toEqual([{ url: '/ops/hysas/api/v1' }])
    expect((await http.get('/ops/hysas')).headers.location).toBe('/ops/hysas/')
    expect((await http.get('/ops/hysas/healthz')).status).toBe(200)
    expect((await http.get('/healthz')).status).toBe(200)
    expect((await http.get('/api/v1/workers').set(...bearer())).status).toBe(404)
    const form = await http.get('/ops/hysas/').set('Accept', 'text/html')
    expect(form.status).toBe(401)
    expect(form.text).toContain('action="/ops/hysas/login"')
  })
})

describe('behind a proxy', () => {
  const forwarded = {
    'X-Forwarded-For': '203.0.113.9',
    'X-Forwarded-Host': 'fleet.example.org',
    'X-Forwarded-Proto': 'https',
  }
  const post = (http: Awaited<ReturnType<typeof startTestWeb>>['http'], cookie: string) =>
    http
      .post('/api/v1/workers/DemoName/stop')
      .set(forwarded)
      .set('Cookie', cookie)
      .set('Origin', 'https://fleet.example.org')
      .send({})

  it('that is trusted, who asks and what he asked for is what the proxy says', async () => {
    const settings = { trustProxy: ['loopback'], allowedHosts: ['fleet.example.org'] }
    const { http, fake } = await startTestWeb({ settings })
    const login = await http.get('/login').set(forwarded).query({ token: TOKEN })
    expect(login.headers['set-cookie']?.[0]).toMatch(/Secure/)
    expect((await post(http, login.headers['set-cookie']?.[0]?.split(';')[0] ?? '')).status).toBe(200)
    expect(fake.commands.at(-1)).toMatchObject({ args: ['DemoName', { by: 'web:operator 203.0.113.9' }] })
  })

  it('that is not trusted, what it says is not believed', async () => {
    const { http } = await startTestWeb({
      settings: { trustProxy: ['10.0.0.0/8'], allowedHosts: ['fleet.example.org'] },
    })
    const login = await http.get('/login').set(forwarded).query({ token: TOKEN })
    expect(login.headers['set-cookie']?.[0]).not.toMatch(/Secure/)
    expect((await post(http, login.headers['set-cookie']?.[0]?.split(';')[0] ?? '')).status).toBe(403)
  })

  it('only names that are allowed are answered', async () => {
    const { http } = await startTestWeb({ settings: { allowedHosts: ['fleet.example.org'] } })
    const asked = async (host: string) =>
      (
        await http
          .get('/api/v1/session')
          .set(...bearer())
          .set('Host', host)
      ).status
    expect(await asked('fleet.example.org')).toBe(200)
    expect(await asked('Fleet.Example.org:8443')).toBe(200)
    expect(await asked('other.example.org')).toBe(403)
    const trusting = await startTestWeb({ settings: { trustProxy: ['loopback'] } })
    const foreign = await trusting.http
      .get('/api/v1/session')
      .set(...bearer())
      .set('X-Forwarded-Host', 'evil.example')
    expect(foreign.status).toBe(403)
  })
})
