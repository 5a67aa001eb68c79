import {
  type AnyProcessor,
  type LongRunningProcessor,
  PROCESSOR,
  type RepeatableProcessor,
  type Schema,
} from './contract.js'

export type * from './contract.js'
export { HysasError } from './errors.js'

/**
 * Declares a processor: the default export of a file in `processors/`.
 * Parameters, messages and the arguments of operations are inferred from their schemas.
 */
export function defineProcessor<
  P extends Schema | undefined = undefined,
  M extends Schema | undefined = undefined,
  O extends Record<string, unknown> = Record<string, unknown>,
>(processor: LongRunningProcessor<P, M, O>): AnyProcessor
export function defineProcessor<P extends Schema | undefined = undefined>(
  processor: RepeatableProcessor<P>,
): AnyProcessor
export function defineProcessor(processor: object): AnyProcessor {
  return { ...processor, [PROCESSOR]: true } as AnyProcessor
}
