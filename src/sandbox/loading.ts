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

/** Imports a compiled processor. @throws HysasError BAD_PROCESSOR, or what the file throws at import */
export async function load({ bundle, type, version }: InitMessage['value']): Promise<Loaded> {
  const module: unknown = await import(pathToFileURL(bundle).href)
  const definition = defined(module, bundle)
  if (definition.kind === 'plain') return { type, version, kind: 'plain', run: definition.run }
  const { processor } = definition
  return processor.tick
    ? { type, version, kind: 'repeatable', processor }
    : { type, version, kind: 'long-running', processor }
}

function defined(module: unknown, file: string): ReturnType<typeof definitionOf> {
  try {
    return definitionOf(module)
  } catch (error) {
    throw new HysasError('BAD_PROCESSOR', { file, reason: messageOf(error) }, { cause: error })
  }
}
