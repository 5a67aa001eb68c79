import type { AnyProcessor, ProcessorManifest, RestartPolicy, Schema } from '../contract.js'
import type { Definition } from './definition.js'
import { jsonSchemaOf } from './json-schema.js'
import { checkOptions } from './options.js'
import { checkCron, parseEvery } from './schedule.js'

/**
 * All that a node needs to know of a processor, as JSON, with every default filled in.
 * @throws Error whose message says which option is wrong, and how
 */
export function manifestOf(definition: Definition): ProcessorManifest {
  if (definition.kind === 'plain') return { ...common({}), kind: 'plain' }
  const { processor } = definition
  checkOptions(processor as Record<string, unknown>)
  const every = processor.every === undefined ? null : parseEvery(processor.every)
  const cron = processor.cron === undefined ? null : checkCron(processor.cron, processor.timezone)
  return {
    ...common(processor),
    kind: processor.tick ? 'repeatable' : 'long-running',
    every,
    cron: cron?.cron ?? null,
    timezone: cron?.timezone ?? null,
  }
}

function common(processor: Partial<AnyProcessor>): Omit<ProcessorManifest, 'kind'> {
  return {
    isolation: processor.isolation ?? 'process',
    description: processor.description ?? '',
    params: jsonSchemaOf(processor.params),
    operations: operationsOf(processor.operations ?? {}),
    heartbeatSeconds: processor.heartbeatSeconds ?? 1,
    graceSeconds: processor.graceSeconds ?? 10,
    restart: restartOf(processor.restart ?? {}),
    maxMemoryMb: processor.maxMemoryMb ?? null,
    maxLoopDelayMs: processor.maxLoopDelayMs ?? null,
    every: null,
    cron: null,
    timezone: null,
  }
}

function operationsOf(
  operations: Record<string, { description?: string; args?: unknown }>,
): ProcessorManifest['operations'] {
  return Object.fromEntries(
    Object.entries(operations).map(([name, { description = '', args }]) => [
      name,
      { description, args: jsonSchemaOf(args as Schema | undefined) },
    ]),
  )
}

function restartOf(policy: RestartPolicy): ProcessorManifest['restart'] {
  const minDelayMs = policy.minDelayMs ?? 1000
  return {
    minDelayMs,
    maxDelayMs: Math.max(policy.maxDelayMs ?? 30_000, minDelayMs),
    healthyAfterMs: policy.healthyAfterMs ?? 60_000,
    giveUpAfter: policy.giveUpAfter ?? null,
  }
}
