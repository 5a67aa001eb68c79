import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { locateRedis } from '../../src/config/locate.js'
import { resolveSettings } from '../../src/config/resolve.js'
import { startEmbedded } from '../../src/redis/embedded.js'
import { temporaryFolder } from '../helpers/folder.js'

describe('where Redis is', () => {
  it('is what is configured, with its source', async () => {
    const cwd = temporaryFolder()
    const settings = resolveSettings({ cwd, env: { REDIS_URL: 'redis://here' } })
    expect(await locateRedis(settings, cwd)).toEqual({ url: 'redis://here', source: 'REDIS_URL' })
  })

  it('is else the running server of this folder or of one above', async () => {
    const cwd = temporaryFolder()
    const deep = join(cwd, 'a/b')
    mkdirSync(deep, { recursive: true })
    const find = (folder: string) => locateRedis(resolveSettings({ cwd: folder }), folder)
    await expect(find(deep)).rejects.toMatchObject({ code: 'NO_REDIS_KNOWN', details: { folder: deep } })
    const { url, release } = await startEmbedded({ dataDir: join(cwd, '.hysas') })
    try {
      expect(await find(deep)).toEqual({ url, source: join(cwd, '.hysas/redis') })
    } finally {
      await release()
    }
    await expect(find(deep)).rejects.toMatchObject({ code: 'NO_REDIS_KNOWN' })
  })
})
