import { Redis } from 'ioredis'

/**
 * Asks the server once. `loading`: it lives but still reads its data. `none`: nobody answers there within `timeoutMs`,
 * or not with this password.
 */
export async function ping(url: string, timeoutMs = 1000): Promise<'pong' | 'loading' | 'none'> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    enableOfflineQueue: true,
  })
  redis.on('error', () => {})
  try {
    await redis.connect()
    return (await redis.ping()) === 'PONG' ? 'pong' : 'none'
  } catch (error) {
    return error instanceof Error && error.message.startsWith('LOADING') ? 'loading' : 'none'
  } finally {
    redis.disconnect()
  }
}
