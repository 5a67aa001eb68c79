import type { Redis } from 'ioredis'

/** Sends a command for each item, all at once, and gives their replies in order. Throws the first error. */
export async function inPipeline<T>(
  redis: Redis,
  items: readonly T[],
  add: (pipeline: ReturnType<Redis['pipeline']>, item: T) => unknown,
): Promise<unknown[]> {
  if (items.length === 0) return []
  const pipeline = redis.pipeline()
  for (const item of items) add(pipeline, item)
  return ((await pipeline.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error
    return reply
  })
}
