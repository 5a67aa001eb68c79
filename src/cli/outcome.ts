import type { CommandOutcome } from '../fleet/views.js'
import { clock } from './format.js'
import { clean, type Paint } from './print.js'

/** What a command came to, as one line: `started Demo DemoName on a-1, pid 311, epoch 1763830000123, 84 ms`. */
export function outcomeLine(outcome: CommandOutcome, paint: Paint): string {
  const { type, nickname, result, node, pid, epoch, stop_info: how, next_tick } = outcome
  const facts = [
    node && `on ${clean(node)}`,
    pid !== null && `pid ${pid}`,
    epoch !== null && `epoch ${epoch}`,
    how && clean(how),
    next_tick !== undefined && `first tick at ${clock(next_tick * 1000).slice(0, 19)}`,
    `${outcome.ms} ms`,
  ]
  return `${paint.green(WORDS[result])} ${clean(type)} ${paint.bold(clean(nickname))} ${facts.filter(Boolean).join(', ')}`
}

const WORDS = {
  started: 'started',
  stopped: 'stopped',
  restarted: 'restarted',
  queued: 'queued',
  unchanged: 'unchanged',
} as const
