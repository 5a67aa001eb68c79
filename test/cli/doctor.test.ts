import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Finding } from '../../src/cli/finding.js'
import { temporaryFolder } from '../helpers/folder.js'
import { connectRedis, redisUrl, startRedis } from '../helpers/redis.js'
import { hysas } from './fake-cli.js'

async function doctor(env: NodeJS.ProcessEnv) {
  const { code, stdout } = await hysas(['doctor', '--json'], { cwd: temporaryFolder(), env })
  return { code, findings: JSON.parse(stdout) as Finding[] }
}

afterEach(() => vi.unstubAllEnvs())

describe('hysas doctor', () => {
  it('finds a good Redis good, and exits 0', async () => {
    const { code, findings } = await doctor({ HYSAS_REDIS_URL: redisUrl() })
    expect(findings.filter(({ ok }) => !ok)).toEqual([])
    expect(findings.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['node', 'redis', 'redis memory', 'redis policy', 'database', 'port', 'processors']),
    )
    expect(code).toBe(0)
  })

  it('names a Redis that does not answer, and exits 1', async () => {
    const { code, findings } = await doctor({ HYSAS_REDIS_URL: 'redis://127.0.0.1:1' })
    expect(findings.find(({ name }) => name === 'redis')).toMatchObject({ ok: false, remedy: expect.any(String) })
    expect(findings.find(({ name }) => name === 'node')?.ok).toBe(true)
    expect(code).toBe(1)
  })

  it('names the server that `hysas up` would start, and no other', async () => {
    const folder = temporaryFolder()
    const server = join(folder, 'redis-server')
    writeFileSync(server, '')
    vi.stubEnv('PATH', folder)
    const redis = async () => (await doctor({})).findings.find(({ name }) => name === 'redis')
    expect(await redis()).toMatchObject({ ok: false, text: expect.stringContaining('is on PATH') })
    chmodSync(server, 0o755)
    expect(await redis()).toMatchObject({ ok: true, text: expect.stringContaining(server) })
  })

  it('names a Redis that may throw workers away', async () => {
    const server = await startRedis()
    const redis = connectRedis(server.url)
    await redis.config('SET', 'maxmemory', '100mb', 'maxmemory-policy', 'allkeys-lru')
    const { code, findings } = await doctor({ HYSAS_REDIS_URL: server.url })
    expect(findings.find(({ name }) => name === 'redis policy')).toMatchObject({ ok: false, text: 'allkeys-lru' })
    expect(code).toBe(1)
  })

  it('names a database that does not answer, and a setting that can not be', async () => {
    const away = await doctor({ HYSAS_REDIS_URL: redisUrl(), HYSAS_DATABASE_URL: 'mysql://me:geheim@127.0.0.1:1/x' })
    expect(away.findings.find(({ name }) => name === 'database')).toMatchObject({ ok: false })
    expect(JSON.stringify(away.findings)).not.toContain('geheim')
    const wrong = await doctor({ HYSAS_PORT: 'none' })
    expect(wrong.findings.find(({ name }) => name === 'settings')).toMatchObject({ ok: false })
    expect(wrong.code).toBe(1)
  })
})
