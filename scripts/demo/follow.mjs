import { setTimeout as sleep } from 'node:timers/promises'
import { bold, dim, green, red, yellow } from '../lib/terminal.mjs'

/** Shows what happens until the signal aborts: alerts and troubles as lines, rates in the changing line. */
export async function followFleet(client, screen, signal) {
  const seen = { alerts: 0, status: undefined }
  await Promise.all([showEvents(client, screen, seen, signal), showRates(client, screen, seen, signal)])
}

/** What the event store is told, as it is told. */
async function showEvents(client, screen, seen, signal) {
  for await (const { what, data } of client.watch({ signal })) {
    if (what !== 'event') continue
    const { kind, nickname, source, message, time } = data
    const at = dim(new Date(time ?? Date.now()).toLocaleTimeString('en-GB'))
    if (kind === 'alert') {
      seen.alerts++
      if (seen.status) screen.status(seen.status()) // else it would not count this one until its next turn
      screen.line(`${at} ${red('●')} ${bold(red('alert'))} ${bold(source)}  ${message}  ${dim(nickname)}`)
    } else if (kind === 'count') screen.line(`${at} ${yellow('●')} ${message}  ${dim(nickname)}`)
    else if (WORTH_A_LINE.has(kind)) screen.line(`${at} ${dim('●')} ${kind} ${bold(nickname)}  ${dim(message ?? '')}`)
  }
}

const WORTH_A_LINE = new Set(['started', 'stopped', 'crashed', 'disappeared', 'failed', 'moved', 'repair'])

async function showRates(client, screen, seen, signal) {
  const rates = new Map()
  while (!signal.aborted) {
    const workers = await client.list().catch(() => undefined) // Redis may be away for a moment
    if (workers) {
      seen.status = statusOf(workers, rates, seen)
      screen.status(seen.status())
    }
    await sleep(1000, undefined, { signal }).catch(() => {})
  }
}

/** Its text, to be made anew when an alert comes between two looks. */
function statusOf(workers, rates, seen) {
  const now = performance.now()
  const parts = workers
    .filter(({ nickname }) => nickname !== 'Monitor')
    .map(({ nickname, epoch, published }) => ({ nickname, rate: rateOf(rates, nickname, epoch, published, now) }))
    .filter(({ rate }) => rate > 0)
  const all = parts.reduce((sum, { rate }) => sum + rate, 0)
  const up = workers.filter(({ status }) => status === 'started').length
  const each = parts.map(({ nickname, rate }) => `${nickname} ${rate.toFixed(1)}`).join(', ')
  const count = `${up} of ${workers.filter(({ wanted }) => wanted).length} workers up`
  const before = `${green('▶')} ${count}  ${bold(`${all.toFixed(1)} messages/s`)} ${dim(each)}`
  return () => `${before}  ${seen.alerts} alert${seen.alerts === 1 ? '' : 's'}  ${dim('Ctrl-C ends')}`
}

/** Messages per second over the last few looks; beats come once a second, so a single look says little. */
function rateOf(rates, nickname, epoch, published, now) {
  const before = rates.get(nickname)
  const looks = before?.epoch === epoch ? [...before.looks, { published, now }].slice(-6) : [{ published, now }]
  rates.set(nickname, { epoch, looks })
  const first = looks[0]
  return looks.length > 1 ? Math.max(0, ((published - first.published) * 1000) / (now - first.now)) : 0
}
