import type { Redis } from 'ioredis'
import type { Names } from './names.js'
import type { WorkerHash } from './restore-scripts.js'
import { script } from './script.js'

/** What the fleet wants of a worker. */
export interface Wish {
  wanted: boolean
  revision: number
}

/** Workers in one call of the script. */
const AT_ONCE = 500

/** What is wanted of some workers; undefined for one that Redis knows nothing of. */
export async function readWishes(
  redis: Redis,
  names: Names,
  nicknames: readonly string[],
): Promise<(Wish | undefined)[]> {
  const wishes: (Wish | undefined)[] = []
  for (let i = 0; i < nicknames.length; i += AT_ONCE) {
    const keys = nicknames.slice(i, i + AT_ONCE).map((nickname) => names.worker(nickname))
    const texts = await wishesScript(redis, keys, [])
    wishes.push(
      ...texts.map((text) => (text ? { wanted: text[0] === '1', revision: Number(text.slice(1)) } : undefined)),
    )
  }
  return wishes
}

const wishesScript = script<string[]>(`
local wishes = {}
for i = 1, #KEYS do
  local w = redis.call('HMGET', KEYS[i], 'wanted', 'revision')
  wishes[i] = w[2] and ((w[1] == '1' and '1' or '0') .. w[2]) or ''
end
return wishes
`)

/** What is wanted of some workers, and the token of the run that holds each name. */
export async function readHolders(
  redis: Redis,
  names: Names,
  nicknames: readonly string[],
): Promise<(Wish & { token: string })[]> {
  const holders: (Wish & { token: string })[] = []
  for (let i = 0; i < nicknames.length; i += AT_ONCE) {
    const keys = nicknames.slice(i, i + AT_ONCE).map((nickname) => names.worker(nickname))
    const flat = await holdersScript(redis, keys, [])
    for (let at = 0; at + 2 < flat.length; at += 3) {
      const [wanted, revision, token = ''] = flat.slice(at, at + 3)
      holders.push({ wanted: wanted === '1', revision: Number(revision), token })
    }
  }
  return holders
}

const holdersScript = script<string[]>(`
local holders = {}
for i = 1, #KEYS do
  local w = redis.call('HMGET', KEYS[i], 'wanted', 'revision', 'token')
  for j = 1, 3 do holders[#holders + 1] = w[j] or '' end
end
return holders
`)

/** What a node asks when it has taken a worker's job. */
export interface Standing {
  /** Node of the run before. */
  before: string
  wanted: boolean
  revision: number
  /** Why it has a process of its own, whatever its processor says; or empty. */
  own: string
  /** Another node's run went on while Redis had lost its data, and is to have this job. */
  restored: boolean
  /** All that the fleet has of it. */
  hash: WorkerHash
}

export async function readStanding(redis: Redis, names: Names, nickname: string): Promise<Standing> {
  const keys = [names.worker(nickname), names.restored(nickname)]
  const [restored, ...flat] = await standingScript(redis, keys, [])
  const hash: WorkerHash = {}
  for (let i = 0; i + 1 < flat.length; i += 2) hash[flat[i] ?? ''] = flat[i + 1] ?? ''
  const { node: before = '', wanted, revision, own = '' } = hash
  return { before, wanted: wanted === '1', revision: Number(revision), own, restored: restored === '1', hash }
}

const standingScript = script<string[]>(`
local w = redis.call('HGETALL', KEYS[1])
table.insert(w, 1, tostring(redis.call('EXISTS', KEYS[2])))
return w
`)
