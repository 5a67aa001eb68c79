import type { Context } from 'hysas'

/** The worker's Redis, or undefined where there is none: a run without a fleet (`hysas run`) may have none. */
export function redisOf(ctx: Pick<Context, 'redis'>): Context['redis'] | undefined {
  try {
    return ctx.redis
  } catch (error) {
    if ((error as { code?: unknown }).code === 'NO_REDIS_GIVEN') return undefined
    throw error
  }
}
