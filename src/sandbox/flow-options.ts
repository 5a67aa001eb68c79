import { checkKnown, isObject, type Options, oneOf, shown, want, whole } from './option.js'

const BYTES = 'a whole number of bytes from 65536 to 4294967296'
const bytes = whole(65_536, 2 ** 32)

/** @throws Error whose message names the option, what was given and what is wanted */
export function checkPublishing(publishing: unknown): void {
  if (publishing === undefined) return
  if (!isObject(publishing)) {
    throw new Error(`publishing: given ${shown(publishing)}, wanted an object such as { frames: true }`)
  }
  checkChannel('publishing.', publishing, ['channels', 'limitBytes', 'whenFull'])
  want(publishing, 'limitBytes', BYTES, bytes, 'publishing.')
  want(publishing, 'whenFull', '"fail" or "wait"', oneOf('fail', 'wait'), 'publishing.')
  const { channels = {} } = publishing
  if (!isObject(channels)) throw new Error(`publishing.channels: given ${shown(channels)}, wanted an object by name`)
  for (const [name, options] of Object.entries(channels)) {
    const at = `publishing.channels.${name}`
    if (!isObject(options)) throw new Error(`${at}: given ${shown(options)}, wanted { codec, frames }`)
    checkChannel(`${at}.`, options)
  }
}

function checkChannel(at: string, options: Options, more: readonly string[] = []): void {
  checkKnown(at, options, ['codec', 'frames', ...more])
  want(options, 'codec', '"json" or "msgpack"', oneOf('json', 'msgpack'), at)
  want(options, 'frames', 'true or false', oneOf(true, false), at)
}

/** @throws Error, likewise */
export function checkReceiving(receiving: unknown): void {
  if (receiving === undefined) return
  if (!isObject(receiving)) {
    throw new Error(`receiving: given ${shown(receiving)}, wanted an object such as { whenFull: 'wait' }`)
  }
  checkKnown('receiving.', receiving, ['limitMessages', 'limitBytes', 'whenFull'])
  want(receiving, 'limitMessages', 'a whole number from 1 to 10000000', whole(1, 10_000_000), 'receiving.')
  want(receiving, 'limitBytes', BYTES, bytes, 'receiving.')
  const policies = oneOf('wait', 'dropOldest', 'dropNewest')
  want(receiving, 'whenFull', '"wait", "dropOldest" or "dropNewest"', policies, 'receiving.')
}
