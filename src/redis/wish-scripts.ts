import type { Redis } from 'ioredis'
import type { Names } from './names.js'
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
}

export async function readStanding(redis: Redis, names: Names, nickname: string): Promise<Standing> {
  const keys = [names.worker(nickname), names.restored(nickname)]
  const [before = '', wanted, revision, own = '', restored] = await standingScript(redis, keys, [])
  return { before, wanted: wanted === '1', revision: Number(revision), own, restored: restored === '1' }
}

const standingScript = script<string[]>(`
local w = redis.call('HMGET', KEYS[1], 'node', 'wanted', 'revision', 'own')
return {w[1] or '', w[2] or '', w[3] or '', w[4] or '', tostring(redis.call('EXISTS', KEYS[2]))}
`)
