import type { Redis } from 'ioredis'
import { HysasError } from '../errors.js'
import type { Names } from '../redis/names.js'

/** How the worker stands with respect to a command's revision. */
export interface Effect {
  type: string
  node: string
  pid: number | null
  epoch: number | null
  stopInfo: string
}

/**
 * The run that a start or restart of `revision` brought about, once it is up.
 * @throws HysasError START_FAILED where its first run failed; SUPERSEDED where a later command was accepted meanwhile
 */
export async function startedEffect(
  redis: Redis,
  names: Names,
  of: { type: string; nickname: string; revision: number },
): Promise<Effect | undefined> {
  const { worker, info } = await read(redis, names, of)
  if (Number(worker.revision) > of.revision) throw new HysasError('SUPERSEDED', { nickname: of.nickname })
  const mine = Number(info.revision) === of.revision
  const crashed = Number(worker.restarts) > 0
  if (crashed || (mine && info.status === 'failed')) {
    throw new HysasError('START_FAILED', {
      nickname: of.nickname,
      reason: firstLine(worker.last_error || info.error_msg || 'it ended without a word'),
      next: crashed && worker.wanted === '1' ? COMES_BACK : STAYS_DOWN,
    })
  }
  if (!mine) return undefined
  // work that is done at once was up as well
  return info.status === 'started' || info.status === 'terminated' ? effectOf(worker, info) : undefined
}

const COMES_BACK =
  'It stays wanted and is tried again by itself, with growing pauses; `hysas logs` and `hysas show` tell more, `hysas stop` ends that.'
const STAYS_DOWN = 'It is not tried again; mend the cause and start it once more.'

/** The end that a stop of `revision` brought about, once no run holds the name any more. */
export async function stoppedEffect(
  redis: Redis,
  names: Names,
  of: { type: string; nickname: string; revision: number },
): Promise<Effect | undefined> {
  const { worker, info } = await read(redis, names, of)
  if (Number(worker.revision) > of.revision || worker.running !== '1' || info.status === 'disappeared') {
    return effectOf(worker, info)
  }
  return undefined
}

const WORKER = ['revision', 'wanted', 'running', 'restarts', 'last_error', 'type'] as const
const INFO = ['revision', 'status', 'error_msg', 'node', 'pid', 'epoch', 'stop_info'] as const
type Fields<K extends readonly string[]> = Record<K[number], string | null>

async function read(
  redis: Redis,
  names: Names,
  { type, nickname }: { type: string; nickname: string },
): Promise<{ worker: Fields<typeof WORKER>; info: Fields<typeof INFO> }> {
  // in one step, since a run writes its end to both in one
  const replies = await redis
    .multi()
    .hmget(names.worker(nickname), ...WORKER)
    .hmget(names.info(type, nickname), ...INFO)
    .exec()
  const [worker = [], info = []] = (replies ?? []).map(([error, values]) => {
    if (error) throw error
    return values as (string | null)[]
  })
  const zip = <K extends readonly string[]>(keys: K, values: (string | null)[]) =>
    Object.fromEntries(keys.map((key, i) => [key, values[i] ?? null])) as Fields<K>
  return { worker: zip(WORKER, worker), info: zip(INFO, info) }
}

function effectOf(worker: Fields<typeof WORKER>, info: Fields<typeof INFO>): Effect {
  return {
    type: worker.type ?? '',
    node: info.node ?? '',
    pid: info.pid ? Number(info.pid) : null,
    epoch: info.epoch ? Number(info.epoch) : null,
    stopInfo: info.stop_info ?? '',
  }
}

/** Of a stack, what people need: without the class's name and the last full stop, since it becomes part of a sentence. */
function firstLine(text: string): string {
  const line = text.split('\n', 1)[0] ?? ''
  return line
    .replace(/^(Uncaught )?\w*Error: /, '')
    .replace(/\.+$/, '')
    .slice(0, 300)
}
