import { join } from 'node:path'
import { HysasError } from '../errors.js'
import type { Settings } from './settings.js'

/**
 * Where the fleet's Redis is: the configured one, else the running embedded server of `settings.dataDir`, or of
 * `.hysas/` in `cwd` or a folder above.
 * @throws HysasError NO_REDIS_KNOWN
 */
export async function locateRedis(settings: Settings, cwd: string): Promise<{ url: string; source: string }> {
  if (settings.redisUrl) return { url: settings.redisUrl, source: settings.redisSource }
  const { findEmbedded } = await import('../redis/embedded.js')
  for (const dataDir of dataDirs(settings, cwd)) {
    const url = await findEmbedded(dataDir)
    if (url) return { url, source: join(dataDir, 'redis') }
  }
  throw new HysasError('NO_REDIS_KNOWN', { folder: cwd })
}

function dataDirs({ dataDir }: Settings, cwd: string): string[] {
  const dirs = [dataDir]
  for (let folder = cwd; ; folder = join(folder, '..')) {
    dirs.push(join(folder, '.hysas'))
    if (folder === join(folder, '..')) return [...new Set(dirs)]
  }
}
