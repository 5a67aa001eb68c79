import type { Context } from 'hysas'
import { redisOf } from './redis-of.js'

type Owner = Pick<Context, 'namespace' | 'type' | 'nickname' | 'epoch' | 'redis' | 'log'>

/**
 * What a worker keeps in Redis from one run to the next: one hash a worker, `<namespace>:state:<Type>:<nickname>`,
 * with `state` (JSON), `epoch` (of the run that wrote it) and `saved_at` (Unix ms). Returns undefined where nothing is kept.
 * Without a Redis (`hysas run`) nothing is kept, which is told here.
 */
export async function loadState(ctx: Owner): Promise<unknown> {
  const redis = redisOf(ctx)
  if (!redis) {
    ctx.log.warn('there is no Redis here: nothing is kept for the next run')
    return undefined
  }
  const text = await redis.hget(stateKey(ctx), 'state')
  if (text === null) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/**
 * Keeps `state` (any JSON) for the next run. A run that was overtaken by a later one changes nothing: it may wake up
 * long after, with what it knew before. Returns whether it was kept.
 */
export async function saveState(ctx: Owner, state: unknown): Promise<boolean> {
  const values = [ctx.epoch, JSON.stringify(state), Date.now()]
  return (await redisOf(ctx)?.eval(SAVE, 1, stateKey(ctx), ...values)) === 1
}

export function stateKey({ namespace, type, nickname }: Pick<Owner, 'namespace' | 'type' | 'nickname'>): string {
  return `${namespace}:state:${type}:${nickname}`
}

const SAVE = `
if tonumber(redis.call('HGET', KEYS[1], 'epoch') or '0') > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'state', ARGV[2], 'saved_at', ARGV[3])
return 1`
