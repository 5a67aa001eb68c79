import { checkPublishing, checkReceiving } from './flow-options.js'
import { between, checkKnown, isObject, type Options, oneOf, shown, want, whole } from './option.js'

const HOOKS = ['start', 'produce', 'receive', 'beforeTermination', 'tick']
const COMMON = [
  'description',
  'params',
  'isolation',
  'heartbeatSeconds',
  'graceSeconds',
  'restart',
  'publishing',
  'maxMemoryMb',
  'maxLoopDelayMs',
]
const OF_LONG_RUNNING = [
  'start',
  'produce',
  'subscribe',
  'messages',
  'receive',
  'concurrency',
  'receiving',
  'onError',
  'operations',
  'beforeTermination',
]
const OF_REPEATABLE = ['tick', 'every', 'cron', 'timezone']
/** Every worker has these operations by itself. */
const BUILT_IN = ['subscribe', 'unsubscribe', 'logLevel']
/** What makes a long-running processor do anything. */
const REASONS_TO_LIVE = ['start', 'produce', 'receive', 'operations', 'beforeTermination']

/**
 * Checks that the options of `defineProcessor` are known, of the right sort, and go together.
 * @throws Error whose message names the option, what was given and what is wanted
 */
export function checkOptions(options: Options): void {
  checkKnown('', options, [...COMMON, ...OF_LONG_RUNNING, ...OF_REPEATABLE])
  for (const hook of HOOKS) want(options, hook, 'a function', (given) => typeof given === 'function')
  want(options, 'description', 'a text', (given) => typeof given === 'string')
  want(options, 'isolation', '"process" or "shared"', (given) => given === 'process' || given === 'shared')
  want(options, 'heartbeatSeconds', 'a number from 0.1 to 3600', between(0.1, 3600))
  want(options, 'graceSeconds', 'a number from 0 to 3600', between(0, 3600))
  want(options, 'maxMemoryMb', 'a number above 0', between(1, 1e9))
  want(options, 'maxLoopDelayMs', 'a number of ms from 20 to 3600000', between(20, 3_600_000))
  want(options, 'concurrency', 'a whole number from 1 to 1000', whole(1, 1000))
  want(options, 'onError', '"continue" or "restart"', (given) => given === 'continue' || given === 'restart')
  for (const name of ['params', 'messages']) checkSchema(name, options[name])
  checkRestart(options.restart)
  checkPublishing(options.publishing)
  checkReceiving(options.receiving)
  checkSubscribe(options.subscribe)
  checkOperations(options.operations)
  checkCombination(options)
}

function checkCombination(options: Options): void {
  const given = (name: string) => options[name] !== undefined
  if (given('tick')) {
    const other = OF_LONG_RUNNING.find(given)
    if (other) throw new Error(`tick does not go together with ${other}: a repeatable processor has only tick`)
    if (given('every') === given('cron')) throw new Error('tick needs either every or cron, exactly one of them')
    if (given('timezone') && !given('cron')) throw new Error('timezone is of use only with cron')
    return
  }
  const other = OF_REPEATABLE.find(given)
  if (other) throw new Error(`${other} is of use only with tick`)
  if (given('subscribe') && !given('receive')) throw new Error('subscribe needs receive, which gets what is heard')
  if (!REASONS_TO_LIVE.some(given)) {
    throw new Error('it does nothing: give at least one of start, produce, receive, operations or tick')
  }
}

function checkRestart(restart: unknown): void {
  if (restart === undefined) return
  if (!isObject(restart))
    throw new Error(`restart: given ${shown(restart)}, wanted an object such as { maxDelayMs: 60000 }`)
  checkKnown('restart.', restart, ['minDelayMs', 'maxDelayMs', 'healthyAfterMs', 'giveUpAfter'])
  for (const name of ['minDelayMs', 'maxDelayMs', 'healthyAfterMs']) {
    want(restart, name, 'a number of ms from 0 to 86400000', between(0, 86_400_000), 'restart.')
  }
  want(restart, 'giveUpAfter', 'a whole number above 0', whole(1, 1e9), 'restart.')
}

function checkSubscribe(subscribe: unknown): void {
  if (subscribe === undefined || typeof subscribe === 'function') return
  for (const source of Array.isArray(subscribe) ? subscribe : [subscribe]) {
    const keys = isObject(source) ? Object.keys(source).filter((key) => key !== 'codec') : []
    const named = isObject(source) && keys.every((key) => typeof source[key] === 'string' && source[key] !== '')
    const known = keys.join() === 'channel' || (keys.length > 0 && keys.every((key) => /^(type|nickname)$/.test(key)))
    if (!named || !known) {
      throw new Error(
        `subscribe: given ${shown(source)}, wanted { channel }, { type }, { nickname } or { type, nickname }`,
      )
    }
    want(source, 'codec', '"text", "buffer" or "msgpack"', oneOf('text', 'buffer', 'msgpack'), 'subscribe.')
  }
}

function checkOperations(operations: unknown): void {
  if (operations === undefined) return
  if (!isObject(operations)) throw new Error(`operations: given ${shown(operations)}, wanted an object by name`)
  for (const [name, operation] of Object.entries(operations)) {
    const at = `operations.${name}`
    if (!/^[A-Za-z][A-Za-z0-9_]{0,62}$/.test(name)) throw new Error(`${at}: a name has only letters, digits and "_"`)
    if (BUILT_IN.includes(name)) throw new Error(`${at}: every worker has this operation already; choose another name`)
    if (!isObject(operation)) throw new Error(`${at}: given ${shown(operation)}, wanted { args, run }`)
    checkKnown(`${at}.`, operation, ['description', 'args', 'run'])
    want(operation, 'description', 'a text', (given) => typeof given === 'string', `${at}.`)
    checkSchema(`${at}.args`, operation.args)
    if (typeof operation.run !== 'function')
      throw new Error(`${at}.run: given ${shown(operation.run)}, wanted a function`)
  }
}

function checkSchema(name: string, schema: unknown): void {
  if (schema === undefined) return
  const standard = (isObject(schema) || typeof schema === 'function') && (schema as Options)['~standard']
  if (isObject(standard) && typeof standard.validate === 'function') return
  throw new Error(`${name}: given ${shown(schema)}, wanted a schema, for example of zod: z.object({...})`)
}
