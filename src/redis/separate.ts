import type { Redis } from 'ioredis'
import type { Names } from './names.js'
import { script } from './script.js'

/** From its next run on, a worker has a process of its own, until it is stopped and started again. */
export async function separate(
  redis: Redis,
  names: Names,
  run: { nickname: string; revision: number },
  why: string,
): Promise<void> {
  await separateScript(redis, [names.worker(run.nickname)], [run.revision, why])
}

const separateScript = script<number>(`
if redis.call('HGET', KEYS[1], 'revision') ~= ARGV[1] then return 0 end
return redis.call('HSET', KEYS[1], 'own', ARGV[2])
`)
