import type { Redis } from 'ioredis'
import { bullFunction } from './bull-functions.js'
import { DRAW } from './fleet-scripts.js'
import { COMMAND_QUEUE, type Names } from './names.js'
import { NOW, script } from './script.js'

const PARTS = ['wait', 'paused', 'meta', 'id', 'completed', 'delayed', 'active', 'events', 'marker']
const addStandardJob = bullFunction('addStandardJob', PARTS.length)

/** Whether this BullMQ's script is the one that `addCommand` is made of. */
export const CAN_ADD_COMMANDS = addStandardJob !== undefined

/**
 * Draws a revision and adds the command's job, exactly as a BullMQ Queue does, in one call. The job is called after its
 * revision, and its data gets revision, deadline and, where somebody waits, where the answer goes.
 * @returns the revision
 */
export async function addCommand(
  redis: Redis,
  names: Names,
  command: {
    name: string
    /** Whose commands come in order; empty: nobody's. */
    nickname: string
    data: object
    /** As BullMQ has them in a job. */
    options: object
    goodForMs: number
    wantsReply: boolean
  },
): Promise<number> {
  const { name, nickname, data, options, goodForMs, wantsReply } = command
  const prefix = `${names.queuePrefix}:${COMMAND_QUEUE}:`
  const keys = [...PARTS.map((part) => prefix + part), names.revision, names.pending(nickname)]
  const job = [name, JSON.stringify(data), JSON.stringify(options)]
  return Number(await addScript(redis, keys, [prefix, nickname, goodForMs, wantsReply ? 1 : 0, ...job]))
}

const addScript = script<string>(`${NOW}${DRAW}
${addStandardJob ?? ''}
local revision = draw(KEYS[10], KEYS[11], ARGV[2], tonumber(ARGV[3]))
local id = 'c-' .. revision
local data = '{"revision":' .. revision .. ',"deadline":' .. string.format('%.0f', now + tonumber(ARGV[3]))
if ARGV[4] == '1' then data = data .. ',"reply":"' .. id .. '"' end
data = data .. (ARGV[6] == '{}' and '}' or ',' .. string.sub(ARGV[6], 2))
local opts = cjson.decode(ARGV[7])
opts.jobId = id
addStandardJob(KEYS, {cmsgpack.pack({ARGV[1], id, ARGV[5], now}), data, cmsgpack.pack(opts)})
return revision
`)
