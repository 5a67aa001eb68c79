import type { Redis } from 'ioredis'

/** What `hysas doctor` looks at in a server. Sizes in bytes. */
export interface ServerFacts {
  version: string
  policy: string
  used: number
  /** 0: no limit. */
  limit: number
  appendOnly: boolean
  clients: number
}

/** Reads version, policy and memory of a server; judges nothing. */
export async function inspectServer(redis: Redis): Promise<ServerFacts> {
  const text = await redis.info()
  const info = new Map(text.split('\r\n').map((line) => line.split(/:(.*)/s, 2) as [string, string]))
  const number = (key: string) => Number(info.get(key) ?? 0)
  return {
    version: info.get('redis_version') ?? '',
    policy: info.get('maxmemory_policy') ?? '',
    used: number('used_memory'),
    limit: number('maxmemory'),
    appendOnly: info.get('aof_enabled') === '1',
    clients: number('connected_clients'),
  }
}
