import { defineProcessor } from 'hysas'
import { z } from 'zod'

const params = z.object({
  url: z.url({ protocol: /^https?$/ }).describe('Where the JSON comes from.'),
  list: z
    .string()
    .default('')
    .describe('Field that holds the list, such as "data.items"; empty: the answer is the list.'),
  id: z.string().default('id').describe('Field by which an entry is known again.'),
  timeoutMs: z.number().int().positive().default(5000).describe('Milliseconds for the answer.'),
})

/**
 * A repeatable worker: no loop of its own, `tick` is called every ten seconds, on whichever node has room. What it must
 * remember from one tick to the next it keeps in Redis, since the next tick may run in another process.
 */
export default defineProcessor({
  description: 'Asks an HTTP address for JSON and publishes each entry that it has not seen before.',
  params,
  every: '10s',

  async tick(ctx) {
    const { url, list, id, timeoutMs } = ctx.params
    // `ctx.signal` aborts when the worker is stopped: pass it on to whatever may take long.
    const signal = AbortSignal.any([ctx.signal, AbortSignal.timeout(timeoutMs)])
    const response = await fetch(url, { signal, headers: { accept: 'application/json' } })
    if (!response.ok) throw new Error(`${url} answered ${response.status}`) // Counted; the next tick tries again.

    const entries = listOf(await response.json(), list)
    const seen = `${ctx.namespace}:state:${ctx.type}:${ctx.nickname}:seen`
    let fresh = 0
    for (const entry of entries) {
      const key = String((entry as Record<string, unknown> | null)?.[id] ?? JSON.stringify(entry))
      if ((await ctx.redis.zadd(seen, 'NX', Date.now(), key)) === 0) continue
      await ctx.publish(entry)
      fresh++
    }
    await ctx.redis.zremrangebyrank(seen, 0, -MOST_REMEMBERED - 1)
    ctx.progress({ entries: entries.length, fresh })
    if (fresh > 0) ctx.log.info({ fresh }, 'new entries')
  },
})

function listOf(body: unknown, path: string): unknown[] {
  let value = body
  for (const field of path.split('.').filter(Boolean)) value = (value as Record<string, unknown> | null)?.[field]
  if (Array.isArray(value)) return value
  throw new Error(`the answer has no list ${path ? `in "${path}"` : 'at its top'}`)
}

const MOST_REMEMBERED = 10_000
