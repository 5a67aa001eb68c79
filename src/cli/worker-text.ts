import type { LogLine, WorkerView } from '../fleet/views.js'
import { clock, plural, since, span } from './format.js'
import { logLine } from './logline.js'
import { clean, cleanLines, indent, jsonText, type Paint } from './print.js'
import type { Run } from './runs.js'
import { firstLine, paintStatus } from './workers.js'

/** What its signs of life mean, for people. */
const MEANING: Record<Exclude<WorkerView['life'], ''>, string> = {
  ok: 'it beats, and its event loop is in time',
  busy: 'its event loop is late: it computes',
  wedged: 'it lives, but gives no sign; its node kills it',
  'cut off': 'its node is not heard of',
  dead: 'neither it nor its node is heard of; it begins anew on another node',
}

export interface WorkerHistory {
  worker: WorkerView
  runs: readonly Run[]
  log: readonly LogLine[]
  next: string
}

/** All that is known of a worker, for a person. */
export function workerText({ worker, runs, log, next }: WorkerHistory, paint: Paint): string {
  const heading = `${clean(worker.type)} ${paint.bold(clean(worker.nickname))} ${paintStatus(worker.status, worker.status, paint)}`
  const facts = factsOf(worker).map(([name, value]) => `  ${paint.dim(name.padEnd(11))} ${clean(value)}`)
  return [
    heading,
    ...facts,
    ...stackOf(worker.error_msg, paint),
    ...section(
      'last runs',
      runs.flatMap((run) => runLines(run, paint)),
      paint,
    ),
    ...section(
      'last lines',
      log.map((line) => indent(logLine(line, paint), 2)),
      paint,
    ),
    ...section('by itself', [`  ${clean(next)}`], paint),
  ].join('\n')
}

function section(title: string, lines: readonly string[], paint: Paint): string[] {
  return lines.length ? ['', paint.bold(title), ...lines] : []
}

/** What follows the sentence of an error. */
function stackOf(text: string, paint: Paint): string[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => paint.dim(`              ${clean(line)}`))
}

function factsOf(worker: WorkerView): [name: string, value: string][] {
  const running = worker.status === 'started'
  const threads = Object.entries(worker.threads).map(([part, state]) => `${part} ${state}`)
  const all: [string, string | false | null][] = [
    ['foreign', worker.foreign && 'a worker of the Python HySAS: listed and judged, not commanded'],
    ['life', worker.life && `${worker.life}: ${MEANING[worker.life]}`],
    ['node', worker.node && `${worker.node}, pid ${worker.pid}, epoch ${worker.epoch}`],
    ['runs', running && `for ${since(worker.started_at)}, version ${worker.version}`],
    ['beat', running && worker.age !== null && `${span(worker.age)} ago, every ${worker.heart_beat_interval} s`],
    ['messages', `${worker.published} published, ${worker.received} received, ${plural(worker.errors, 'error')}`],
    ['lost', lostOf(worker)],
    ['cut off', worker.gaps.map(gapText).join(', ')],
    ['load', worker.memory_mb !== null && `${Math.round(worker.memory_mb)} MB, loop delay ${worker.loop_delay_ms} ms`],
    ['parts', threads.join(', ')],
    ['hears', worker.data_feeder.join(', ')],
    ['heard by', worker.follower.join(', ')],
    ['ticks', worker.kind === 'repeatable' && `${worker.ticks}, ${worker.missed} missed, ${worker.skipped} skipped`],
    ['progress', worker.progress !== null && jsonText(worker.progress)],
    ['params', jsonText(worker.params)],
    [
      'wanted',
      `${worker.wanted ? 'yes' : 'no'}${worker.since ? ` since ${clock(worker.since * 1000)}` : ''}${worker.by && ` (${worker.by})`}`,
    ],
    ['restarts', worker.restarts ? String(worker.restarts) : ''],
    ['error', firstLine(worker.error_msg)],
    ['ended', !running && `${worker.stop_info}${worker.stop_time ? ` at ${clock(worker.stop_time * 1000)}` : ''}`],
  ]
  return all.flatMap(([name, value]) => (value ? [[name, value]] : []))
}

/** Messages that never came, or came faster than they were received. */
function lostOf({ lost, lost_by, dropped, dropped_by }: WorkerView): string {
  const never = lost > 0 && `${plural(lost, 'message')} never came${byChannel(lost_by)}`
  return [never, dropped > 0 && `${dropped} dropped, coming too fast${byChannel(dropped_by)}`]
    .filter(Boolean)
    .join('; ')
}

function byChannel(counts: Record<string, number>): string {
  const by = Object.entries(counts).map(([channel, count]) => `${count} of ${channel}`)
  return by.length ? `: ${by.slice(0, 5).join(', ')}` : ''
}

function gapText({ from, to }: WorkerView['gaps'][number]): string {
  return to === null ? `since ${clock(from * 1000)}` : `at ${clock(from * 1000)} for ${span(to - from)}`
}

function runLines(run: Run, paint: Paint): string[] {
  const began = run.started === null ? '' : clock(run.started)
  const lasted = run.started !== null && run.ended !== null ? `after ${span((run.ended - run.started) / 1000)}` : ''
  const how = [run.end ? run.end : 'runs', lasted, run.signal && `by ${run.signal}`].filter(Boolean).join(' ')
  const bad = run.end && run.end !== 'stopped'
  const message = run.message && `: ${clean(run.message)}`
  const line = `  ${paint.dim(began)} epoch ${run.epoch} on ${clean(run.node)}  ${bad ? paint.red(clean(how)) : clean(how)}${message}`
  return run.stack ? [line, paint.dim(indent(cleanLines(run.stack), 6))] : [line]
}
