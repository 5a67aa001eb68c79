import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, describe, expect, it } from 'vitest'
import type { AlertPost } from '../../src/node/alert-post.js'
import { createAlerts } from '../../src/node/alerts.js'
import { namesOf } from '../../src/redis/names.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { startProxy } from '../helpers/proxy.js'
import { connectRedis, redisUrl, startRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

const BAD = `import { defineProcessor } from 'hysas'
export default defineProcessor({
  description: 'Fails.',
  restart: { minDelayMs: 50, maxDelayMs: 200 },
  produce() { throw new Error('no luck with redis://user:planted-secret@host') },
})
`

const servers: { close(): void }[] = []
afterAll(() => {
  for (const server of servers) server.close()
})

/** A real receiver; `answers` gives the status of each post about a worker in turn, 204 afterwards and of all else. */
async function receiver(answers: number[] = [], of = '') {
  const posts: AlertPost[] = []
  const refused: AlertPost[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      const post = JSON.parse(body) as AlertPost
      const status = (post.nickname === of && answers.shift()) || 204
      ;(status < 300 ? posts : refused).push(post)
      response.writeHead(status).end()
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/planted-path-secret`
  return { url, posts, refused, about: (kind: string) => posts.filter((post) => post.kind === kind) }
}

function processors(): string {
  const folder = join(temporaryFolder('hysas-alerts'), 'processors')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'Bad.ts'), BAD)
  return folder
}

// each has a fleet of its own, and waits most of its time
describe.concurrent('telling of problems', { timeout: 60_000 }, () => {
  it('posts once that a worker restarts again and again, and once that this is over; tries again where it is refused', async () => {
    const ns = namespace()
    const { url, posts, refused, about } = await receiver([500, 503], 'bad-1')
    const node = await startNode({ namespace: ns, processors: [processors()], env: { HYSAS_ALERT_URL: url } })
    const client = await clientOf(ns)
    await client.start('Bad', 'bad-1', {}).catch(() => {})
    const [post] = await until(() => (about('restarting').length ? about('restarting') : undefined), {
      timeoutMs: 20_000,
    })
    expect(post).toMatchObject({ what: 'problem', type: 'Bad', nickname: 'bad-1', node: node.name, fleet: ns })
    expect(post?.since).toBeCloseTo(Date.now() / 1000, -2)
    expect(post?.message).toContain('bad-1')
    expect(refused).toEqual([post, post])
    await client.stop('bad-1')
    const its = () => posts.filter(({ nickname }) => nickname === 'bad-1') // a slow machine has problems of its own
    const over = await until(() => its().find(({ what }) => what === 'resolved'), { timeoutMs: 20_000 })
    expect(over).toMatchObject({ kind: 'restarting', id: post?.id })
    expect(its().length).toBe(2)
    expect(JSON.stringify([posts, refused])).not.toContain('planted-secret')
    expect(node.output()).not.toContain('planted-path-secret')
  })

  it('posts many at once as one list', async () => {
    const ns = namespace()
    const { url, posts } = await receiver()
    const nicknames = Array.from({ length: 12 }, (_, i) => `h-${i}`)
    const names = namesOf(ns)
    const pipeline = connectRedis().pipeline() // as a node that ended has left them
    for (const nickname of nicknames) {
      const since = Date.now() / 1000 // what has ended long ago is forgotten at the next look of Monitor
      pipeline.hset(names.worker(nickname), { type: 'Demo', nickname, wanted: '0', revision: '7', running: '0', since })
      pipeline.hset(names.info('Demo', nickname), {
        status: 'failed',
        revision: '7',
        error_msg: 'Error: no luck\n  at x',
      })
      pipeline.sadd(names.workers, nickname)
    }
    await pipeline.exec()
    await startNode({ namespace: ns, env: { HYSAS_ALERT_URL: url } })
    const told = () => posts.flatMap((post) => post.list ?? [post]).map(({ nickname }) => nickname)
    await until(() => nicknames.every((nickname) => told().includes(nickname)), { timeoutMs: 50_000 })
    expect(told().sort()).toEqual([...nicknames].sort())
    expect(posts.map(({ kind, list = [] }) => [kind, list.length])).toEqual([['several', 12]])
    expect(posts[0]?.list?.[0]).toMatchObject({ kind: 'failed', type: 'Demo', what: 'problem' })
  })

  it('reads all workers anew at the next look, where the reading failed', async () => {
    const names = namesOf(namespace())
    const { url, posts } = await receiver()
    const redis = connectRedis()
    await redis.hset(names.worker('h-1'), { type: 'Demo', nickname: 'h-1', wanted: '0', revision: '7', running: '0' })
    await redis.hset(names.info('Demo', 'h-1'), { status: 'failed', revision: '7', error_msg: 'no luck' })
    await redis.sadd(names.workers, 'h-1')
    const cut = Object.create(redis) as typeof redis
    let reads = 0
    cut.smembers = ((key: string) =>
      ++reads === 1 ? Promise.reject(new Error('the connection ended')) : redis.smembers(key)) as typeof redis.smembers
    const log = pino({ level: 'silent' })
    const alerts = createAlerts({ redis: cut, names, token: 'n1', url, log, problems: () => [] })
    await expect(alerts.look()).rejects.toThrow(/ended/)
    await alerts.look()
    await until(() => posts.some(({ nickname, kind }) => nickname === 'h-1' && kind === 'failed'))
    await alerts.close()
  })

  it('tells also where Redis is so far away that all workers can not be read within two seconds', async () => {
    const names = namesOf(namespace())
    const { url, posts } = await receiver()
    const pipeline = connectRedis().pipeline()
    for (let i = 0; i < 1000; i++) {
      const nickname = `h-${i}`
      pipeline.hset(names.worker(nickname), { type: 'Demo', nickname, wanted: '0', revision: '7', running: '0' })
      pipeline.hset(names.info('Demo', nickname), { status: i === 700 ? 'failed' : 'terminated', revision: '7' })
      pipeline.sadd(names.workers, nickname)
    }
    await pipeline.exec()
    const proxy = await startProxy(Number(new URL(redisUrl()).port))
    proxy.delay(200)
    const redis = connectRedis(proxy.url)
    const log = pino({ level: 'silent' })
    const alerts = createAlerts({ redis, names, token: 'n1', url, log, problems: () => [] })
    await until(
      async () => {
        await alerts.look()
        return posts.some(({ nickname, kind }) => nickname === 'h-700' && kind === 'failed')
      },
      { timeoutMs: 40_000, what: 'the failed worker is told' },
    )
    await alerts.close()
  })

  it('posts once for the whole fleet that a node is gone, repeats it by no other node, and tells when it is back', async () => {
    const ns = namespace()
    const { url, posts, about } = await receiver()
    const env = { HYSAS_ALERT_URL: url }
    const first = await startNode({ namespace: ns, env, name: 'first' })
    const second = await startNode({ namespace: ns, env, name: 'second' })
    await until(async () => connectRedis().exists(namesOf(ns).alerter))
    await first.kill() // it is the one that would tell
    const post = await until(() => about('node_gone')[0], { timeoutMs: 20_000 })
    expect(post).toMatchObject({ what: 'problem', node: 'first' })
    await until(async () => (await connectRedis().hget(namesOf(ns).alerts, 'node:first'))?.includes('"told":"yes"'))
    await startNode({ namespace: ns, env, name: 'third' })
    await second.stop() // says goodbye: that is no problem
    await startNode({ namespace: ns, env, name: 'first' })
    const over = await until(() => posts.find(({ what }) => what === 'resolved'), { timeoutMs: 20_000 })
    expect(over).toMatchObject({ kind: 'node_gone', node: 'first' })
    expect(about('node_gone').map(({ what }) => what)).toEqual(['problem', 'resolved'])
  })

  it('tells of a Redis that is away, while it is away, and of its return, and of nothing else', async () => {
    const ns = namespace()
    const { url, posts } = await receiver()
    const server = await startRedis({ appendonly: true })
    const env = { HYSAS_ALERT_URL: url }
    await startNode({ namespace: ns, env, url: server.url, name: 'one' })
    await startNode({ namespace: ns, env, url: server.url, name: 'two' })
    const client = await clientOf(ns, server.url)
    await client.start('Demo', 'calm')
    await until(async () => connectRedis(server.url).exists(namesOf(ns).alerter))
    await server.kill()
    const post = await until(() => posts[0], { timeoutMs: 20_000 })
    expect(post).toMatchObject({ what: 'problem', kind: 'redis', message: 'Redis does not answer.' })
    await server.restart()
    await until(() => posts.find(({ what }) => what === 'resolved'), { timeoutMs: 25_000 })
    expect(posts.map(({ what, kind }) => `${what} ${kind}`)).toEqual(['problem redis', 'resolved redis'])
  })
})
