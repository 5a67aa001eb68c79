import { HysasError } from '../errors.js'

/** A nickname is part of keys, channels, file names and job ids, so it is strict. */
export const NICKNAME = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/
export const TYPE = /^[A-Z][A-Za-z0-9]{0,62}$/
/** The queue of commands; no processor may have its name. */
export const COMMAND_QUEUE = 'Command'

export type Names = ReturnType<typeof namesOf>

/**
 * Every key and channel of one namespace, and the only place that spells them. Channels and Info hashes have the
 * ancestor's names (`HySAS.Worker.Demo.DemoName.Pub`); all else lies under `<namespace>:`. BullMQ's keys lie under
 * `<namespace>:queue:<Type>:`.
 */
export function namesOf(namespace = 'HySAS') {
  const worker = (type: string, nickname: string) => `${namespace}.Worker.${type}.${nickname}`
  return {
    namespace,
    /** The channel that every worker hears. */
    all: namespace,
    /** The raw channel of commands. */
    command: `${namespace}.Command`,
    pub: (type: string, nickname: string) => `${worker(type, nickname)}.Pub`,
    workerCommand: (type: string, nickname: string) => `${worker(type, nickname)}.Command`,
    /** Hash, and channel, of a worker's heartbeat. */
    info: (type: string, nickname: string) => `${worker(type, nickname)}.Info`,
    /** Pattern of all Info hashes, the Python ancestor's (which may lack the last dot) included. */
    anyInfo: `${namespace}.Worker.*Info`,
    /** Type and nickname of an Info hash, ours or the ancestor's. */
    parseInfo: (key: string): { type: string; nickname: string } | undefined => {
      const head = `${namespace}.Worker.`
      if (!key.startsWith(head) || !key.endsWith('Info')) return undefined
      const middle = key.slice(head.length, -'Info'.length).replace(/\.$/, '')
      const dot = middle.indexOf('.')
      return dot > 0 && dot < middle.length - 1
        ? { type: middle.slice(0, dot), nickname: middle.slice(dot + 1) }
        : undefined
    },
    /** Pattern of the Pub channels of all workers of a type, or of one nickname of any type. */
    pubPattern: (type = '*', nickname = '*') => `${worker(type, nickname)}.Pub`,
    /** Type and nickname of a Pub channel, or undefined for any other channel. */
    parsePub: (channel: string): { type: string; nickname: string } | undefined => {
      const head = `${namespace}.Worker.`
      if (!channel.startsWith(head) || !channel.endsWith('.Pub')) return undefined
      const [type, nickname, rest] = channel.slice(head.length, -'.Pub'.length).split('.')
      return type && nickname && rest === undefined ? { type, nickname } : undefined
    },

    /** Prefix that all BullMQ queues of the namespace are given. */
    queuePrefix: `${namespace}:queue`,
    /** String that BullMQ keeps while a job is held: the holder's lock token. */
    jobLock: (type: string, jobId: string) => `${namespace}:queue:${type}:${jobId}:lock`,

    /** Number: the last revision drawn. */
    revision: `${namespace}:revision`,
    /** String: version of the contract. */
    contract: `${namespace}:contract`,
    /** Hash of one worker of the fleet: wanted state, and who holds the current run. */
    worker: (nickname: string) => `${namespace}:worker:${nickname}`,
    /** Set of the nicknames that have a worker hash (tombstones included). */
    workers: `${namespace}:workers`,
    /** Set of the nicknames that should run. */
    wanted: `${namespace}:wanted`,
    /** Hash: `generation`, made with the fleet and gone with Redis's data; `version`, which rises with every change of it. */
    fleet: `${namespace}:fleet`,
    /** String: stands in for a job's lock while a worker that was put back waits for its new job; the run's token. */
    restored: (nickname: string) => `${namespace}:restored:${nickname}`,
    /** String: the ticks that a node took by one call, whose answer it may not have got; by the token of their locks. */
    taken: (lockToken: string) => `${namespace}:taken:${lockToken}`,
    /** Sorted set: revisions of commands under way for a nickname, by deadline (Redis ms). */
    pending: (nickname: string) => `${namespace}:pending:${nickname}`,
    /** Sorted set of `<Type>.<nickname>`, by the Redis ms at which the next heartbeat is overdue. */
    beats: `${namespace}:beats`,
    /** Sorted set of `<Type>.<nickname>` of ended runs, by the Redis ms of the end. */
    ended: `${namespace}:ended`,
    /** Channel on which nodes hear that something changed: JSON {type?, nickname?, what}. */
    wake: `${namespace}:wake`,
    /** Sorted set of node names, by the Redis ms at which the node counts as gone. */
    nodes: `${namespace}:nodes`,
    /** Hash of one node. */
    node: (name: string) => `${namespace}:node:${name}`,
    /** String: Redis ms at which the last shutdown was commanded; nodes started before it end. */
    shutdown: `${namespace}:shutdown`,
    /** Hash: when jobs without a lock were last looked for, and not before when they may be. */
    stalls: `${namespace}:stalls`,
    /** Hash: messages published, by channel. */
    published: `${namespace}:published`,
    /**
     * Sorted set, all scores 0: `t <Type> <channel>` and `n <nickname> <channel>` of each Pub channel in `published`, and
     * `o <channel>` of each that is not its publisher's own.
     */
    channels: `${namespace}:channels`,
    /** Channel of one subscriber's own, on which it gets the counters of what it hears. */
    mark: (id: string) => `${namespace}:mark:${id}`,
    /** Stream of the last log lines of a worker. */
    log: (nickname: string) => `${namespace}:log:${nickname}`,
    /** Stream of events on their way to the event store. */
    outbox: `${namespace}:outbox`,
    /** Channel on which every recorded event is also told, as JSON. */
    eventsChannel: `${namespace}:events`,
    /** String: who writes the event store at present. */
    writer: `${namespace}:writer`,
    /** String: which node tells of problems at present. */
    alerter: `${namespace}:alerter`,
    /** Hash: problems that are open, by key: JSON, with whether they have been told. */
    alerts: `${namespace}:alerts`,
    /** Hash by `<Type>.<nickname>` of workers of the Python ancestor on this Redis: JSON. */
    foreign: `${namespace}:foreign`,
    /** Hash: where the event store is. */
    store: `${namespace}:store`,
    /** List that gets the one answer to a sent operation. */
    reply: (id: string) => `${namespace}:reply:${id}`,
    /** Hash: how often each raw command message was counted, kept 60 s. */
    rawSeen: (hash: string) => `${namespace}:raw:${hash}`,
  }
}

/** @throws HysasError BAD_NICKNAME */
export function checkNickname(nickname: unknown): string {
  if (typeof nickname === 'string' && NICKNAME.test(nickname)) return nickname
  throw new HysasError('BAD_NICKNAME', { given: shown(nickname) })
}

/** @throws HysasError BAD_TYPE */
export function checkType(type: unknown): string {
  if (typeof type === 'string' && TYPE.test(type) && type !== COMMAND_QUEUE) return type
  throw new HysasError('BAD_TYPE', { given: shown(type) })
}

/** A job's id carries a prefix, because ids such as `active` or `meta` would corrupt the queue. */
export const jobIdOf = (nickname: string, revision: number): string => `w-${nickname}.${revision}`
export const schedulerIdOf = (nickname: string): string => `s-${nickname}`

function shown(given: unknown): string {
  // an object is not asked for its text: it may be of JSON that names `toString` as it likes
  const isData = typeof given === 'string' || typeof given === 'object'
  const text = isData ? JSON.stringify(given) : String(given)
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}
