import type { Redis } from 'ioredis'

/** From this part of its memory limit on, a Redis counts as nearly full. */
const NEARLY_FULL = 0.9

/** What is wrong with a server, or soon will be, in plain sentences; empty when nothing is. */
export async function readProblems(redis: Redis): Promise<string[]> {
  const sections = await Promise.all([redis.info('memory'), redis.info('persistence'), redis.info('replication')])
  return problemsOf(new Map(sections.flatMap((text) => text.split('\r\n').map(entryOf))))
}

const entryOf = (line: string): [string, string] => {
  const at = line.indexOf(':')
  return [line.slice(0, at), line.slice(at + 1)]
}

function problemsOf(info: ReadonlyMap<string, string>): string[] {
  const number = (key: string) => Number(info.get(key) ?? 0)
  const problems: string[] = []
  const [used, limit] = [number('used_memory'), number('maxmemory')]
  const policy = info.get('maxmemory_policy') ?? 'noeviction'
  if (limit && used >= limit) problems.push(`Redis is full (${mb(limit)} MB): it refuses to write.`)
  else if (limit && used >= NEARLY_FULL * limit) {
    problems.push(`Redis is nearly full (${mb(limit)} MB): when it is, it refuses to write.`)
  }
  if (policy !== 'noeviction') problems.push(`Redis may throw data away when full (maxmemory-policy ${policy}).`)
  if (info.get('aof_last_write_status') === 'err') {
    problems.push('Redis can not write its append-only file (is its disk full?): it refuses to write.')
  }
  if (info.get('aof_last_bgrewrite_status') === 'err') {
    problems.push('Redis could not rewrite its append-only file (is its disk full?).')
  }
  if (info.get('rdb_last_bgsave_status') === 'err') {
    problems.push('Redis could not save its data to disk (is its disk full?).')
  }
  if (info.get('role') === 'slave') {
    problems.push(`Redis is a replica of ${info.get('master_host')}:${info.get('master_port')}: it can not be written.`)
  }
  return problems
}

const mb = (bytes: number): number => Math.round(bytes / 2 ** 20)
