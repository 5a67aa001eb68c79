import type { ReadCodec, Source } from '../contract.js'
import { HysasError } from '../errors.js'
import { checkNickname, checkType, type Names } from '../redis/names.js'

/** A source as Redis knows it: a channel to SUBSCRIBE or a pattern to PSUBSCRIBE, and which channels belong to it. */
export interface Tuned {
  readonly name: string
  readonly isPattern: boolean
  /** Of a pattern: whose Pub channels. */
  readonly type?: string | undefined
  readonly nickname?: string | undefined
  /** How the messages that come by it are read. */
  readonly codec?: ReadCodec | undefined
  matches(channel: string): boolean
}

/** @throws HysasError BAD_ARGS, BAD_TYPE, BAD_NICKNAME: names are strict, so no sign of a pattern can be smuggled in */
export function tune(names: Names, source: Source): Tuned {
  const { channel, type, nickname, codec, ...rest } = (source ?? {}) as Record<string, unknown>
  const read = { codec: checkedCodec(codec) }
  if (Object.keys(rest).length === 0) {
    if (channel !== undefined && type === undefined && nickname === undefined) return { ...ofChannel(channel), ...read }
    if (channel === undefined && (type !== undefined || nickname !== undefined)) {
      return { ...ofWorker(names, type, nickname), ...read }
    }
  }
  throw refusal('one of {channel}, {type}, {nickname} or {type, nickname} is wanted')
}

function ofChannel(channel: unknown): Tuned {
  if (typeof channel !== 'string' || channel === '' || channel.length > 1024) {
    throw refusal('channel: a text of 1 to 1024 characters is wanted')
  }
  return { name: channel, isPattern: false, matches: (other) => other === channel }
}

function ofWorker(names: Names, givenType: unknown, givenNickname: unknown): Tuned {
  const type = givenType === undefined ? undefined : checkType(givenType)
  const nickname = givenNickname === undefined ? undefined : checkNickname(givenNickname)
  if (type && nickname) return ofChannel(names.pub(type, nickname))
  return {
    name: names.pubPattern(type, nickname),
    isPattern: true,
    type,
    nickname,
    matches(channel) {
      const from = names.parsePub(channel)
      return from !== undefined && (type ?? from.type) === from.type && (nickname ?? from.nickname) === from.nickname
    },
  }
}

function checkedCodec(codec: unknown): ReadCodec | undefined {
  if (codec === undefined || codec === 'text' || codec === 'buffer' || codec === 'msgpack') return codec
  throw refusal('codec: "text", "buffer" or "msgpack" is wanted')
}

function refusal(problems: string): HysasError {
  return new HysasError('BAD_ARGS', { operation: 'subscribe', problems })
}
