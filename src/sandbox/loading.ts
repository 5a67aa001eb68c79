import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import type { AnyProcessor, LongRunningProcessor, PlainProcessor, Schema } from '../contract.js'
import { HysasError, messageOf } from '../errors.js'
import type { InitMessage } from '../protocol.js'
import { definitionOf } from './definition.js'

export type LongRunning = LongRunningProcessor<
  Schema | undefined,
  Schema | undefined,
  // biome-ignore lint/complexity/noBannedTypes: the widest form, as in the contract
  {}
>
export type Repeatable = Extract<AnyProcessor, { tick(...args: never[]): unknown }>

/** A processor as a child has it, with the name and version that its node gave it. */
export type Loaded = { type: string; version: string } & (
  | { kind: 'long-running'; processor: LongRunning }
  | { kind: 'repeatable'; processor: Repeatable }
  | { kind: 'plain'; run: PlainProcessor }
)

/** Loads a compiled processor. @throws HysasError BAD_PROCESSOR, or what the file throws at import */
export async function load({ bundle, type, version }: InitMessage['value']): Promise<Loaded> {
  const module = await moduleOf(bundle)
  const definition = defined(module, bundle)
  if (definition.kind === 'plain') return { type, version, kind: 'plain', run: definition.run }
  const { processor } = definition
  return processor.tick
    ? { type, version, kind: 'repeatable', processor }
    : { type, version, kind: 'long-running', processor }
}

const requireModule = createRequire(import.meta.url)

/** `require` reads an ES module at once, where `import()` takes three turns of the event loop and twice the work. */
async function moduleOf(bundle: string): Promise<unknown> {
  try {
    return requireModule(bundle)
  } catch (error) {
    // ERR_REQUIRE_ASYNC_MODULE: it awaits at its top. ERR_REQUIRE_ESM: Node was told not to do it. Nothing has run yet.
    if (!NOT_REQUIRED.has((error as NodeJS.ErrnoException | undefined)?.code ?? '')) throw error
    return import(pathToFileURL(bundle).href)
  }
}

const NOT_REQUIRED = new Set(['ERR_REQUIRE_ASYNC_MODULE', 'ERR_REQUIRE_ESM'])

function defined(module: unknown, file: string): ReturnType<typeof definitionOf> {
  try {
    return definitionOf(module)
  } catch (error) {
    throw new HysasError('BAD_PROCESSOR', { file, reason: messageOf(error) }, { cause: error })
  }
}
