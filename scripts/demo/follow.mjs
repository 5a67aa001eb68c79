import { setTimeout as sleep } from 'node:timers/promises'
import { bold, dim, green, red, yellow } from '../lib/terminal.mjs'

/** Shows what happens until the signal aborts: alerts and troubles as lines, rates in the changing line. */
export async function followFleet(client, screen, signal) {
  const seen = { alerts: 0 }
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
    if (workers) screen.status(statusOf(workers, rates, seen))
    await sleep(1000, undefined, { signal }).catch(() => {})
  }
}

function statusOf(workers, rates, { alerts }) {
  const now = performance.now()
  const parts = workers
    .filter(({ nickname }) => nickname !== 'Monitor')
    .map(({ nickname, epoch, published }) => ({ nickname, rate: rateOf(rates, nickname, epoch, published, now) }))
    .filter(({ rate }) => rate > 0)
  const all = parts.reduce((sum, { rate }) => sum + rate, 0)
  const up = workers.filter(({ status }) => status === 'started').length
  const each = parts.map(({ nickname, rate }) => `${nickname} ${rate.toFixed(1)}`).join(', ')
  const count = `${up} of ${workers.filter(({ wanted }) => wanted).length} workers up`
  return `${green('▶')} ${count}  ${bold(`${all.toFixed(1)} messages/s`)} ${dim(each)}  ${alerts} alerts  ${dim('Ctrl-C ends')}`
}

/** Messages per second over the last few looks; beats come once a second, so a single look says little. */
function rateOf(rates, nickname, epoch, published, now) {
  const before = rates.get(nickname)
  const looks = before?.epoch === epoch ? [...before.looks, { published, now }].slice(-6) : [{ published, now }]
  rates.set(nickname, { epoch, looks })
  const first = looks[0]
  return looks.length > 1 ? Math.max(0, ((published - first.published) * 1000) / (now - first.now)) : 0
}
