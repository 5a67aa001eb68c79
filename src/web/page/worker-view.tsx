import { Chart } from './chart.js'
import { Buttons, useCommands } from './commands.js'
import type { Fleet, PageWorker } from './fleet.js'
import { clean, count, rate } from './format.js'
import { LogView } from './log-view.js'
import { Names } from './names.js'
import { Operations } from './operations.js'
import { hrefOf } from './route.js'
import { type Point, useSeries } from './series.js'
import { meaningOf } from './state.js'
import { Age, Status } from './status.js'
import type { Span } from './stretches.js'
import { Time } from './time.js'
import { Timeline } from './timeline.js'
import type { Say } from './toasts.js'

interface WorkerProps {
  fleet: Fleet
  name: string
  operator: boolean
  query: URLSearchParams
  say: Say
}

/** All that is known of one worker, and all that can be done to it. */
export function WorkerView({ fleet, name, operator, query, say }: WorkerProps) {
  const commands = useCommands(say)
  const worker = fleet.workers.get(name)
  const points = useSeries(worker, fleet.link)
  if (!worker) {
    const text = !fleet.known ? 'Reading the fleet…' : `There is no worker ${clean(name)}.`
    return (
      <section>
        <p class="empty">
          {text} <a href={hrefOf('fleet')}>All workers</a>
        </p>
      </section>
    )
  }
  const type = fleet.types.find((one) => one.type === worker.type)
  const meaning = meaningOf(worker)
  return (
    <>
      <section aria-labelledby="worker">
        <div class="section-head">
          <h2 id="worker">
            {clean(name)} <span class="type">{clean(worker.type)}</span>
          </h2>
          <Status worker={worker} />
          <div class="actions">
            <Buttons worker={worker} operator={operator} commands={commands} />
          </div>
        </div>
        {meaning && (
          <p class="meaning">
            {clean(meaning.cause)} {clean(meaning.next)}
          </p>
        )}
        <Facts fleet={fleet} worker={worker} />
        {worker.error_msg && <pre class="error">{clean(worker.error_msg)}</pre>}
      </section>
      <Charts points={points} />
      <Timeline fleet={fleet} worker={worker} />
      <LogView nickname={name} level={query.get('level') ?? ''} />
      <div class="two">
        {operator && !worker.foreign && <Operations worker={worker} type={type} />}
        <section aria-labelledby="params">
          <h2 id="params">Parameters</h2>
          <pre>{clean(JSON.stringify(worker.params, null, 2))}</pre>
        </section>
      </div>
      {commands.dialog}
    </>
  )
}

function Charts({ points }: { points: readonly Point[] }) {
  const line = (name: string, key: Exclude<keyof Point, keyof Span>) => ({
    name,
    values: points.map((point) => point[key]),
  })
  return (
    <section class="charts" aria-label="Charts">
      <Chart title="Messages/s" times={points} lines={[line('in', 'in'), line('out', 'out')]} show={rate} />
      <Chart
        title="Lost/s"
        times={points}
        lines={[line('', 'lost')]}
        show={rate}
        bad={points.some(({ lost }) => lost > 0)}
      />
      <Chart title="Memory" times={points} lines={[line('', 'memory')]} show={(mb) => `${count(Math.round(mb))} MB`} />
      <Chart
        title="Event loop late"
        times={points}
        lines={[line('', 'delay')]}
        show={(ms) => `${ms < 10 ? ms.toFixed(1) : count(Math.round(ms))} ms`}
      />
    </section>
  )
}

function Facts({ fleet, worker }: { fleet: Fleet; worker: PageWorker }) {
  const { kind, epoch, pid, version, since, started_at } = worker
  const newest = fleet.types.find((one) => one.type === worker.type)?.version
  const facts: [string, preact.ComponentChildren][] = [
    ['Node', worker.node ? <a href={hrefOf('fleet', '', { node: worker.node })}>{clean(worker.node)}</a> : '–'],
    ['Process', pid ?? '–'],
    ['Started', started_at === null ? '–' : <Time ms={started_at * 1000} />],
    ['Heartbeat', <Age key="age" worker={worker} />],
    ['Messages', messagesOf(worker)],
    ['Restarts', count(worker.restarts)],
    ['Hears', <Names key="hears" names={worker.data_feeder} fleet={fleet} otherwise="nothing" />],
    ['Heard by', <Names key="heard" names={worker.follower} fleet={fleet} otherwise="nobody" />],
    [
      'Asked for',
      since === null ? '–' : [clean(worker.by) || 'somebody', ', ', <Time key="since" ms={since * 1000} />],
    ],
    ['Epoch', epoch ?? '–'],
    [
      'Version of its file',
      <>
        <code>{version || '–'}</code>
        {version && newest && newest !== version && ' (a newer one is there: restart it)'}
      </>,
    ],
    ['Isolation', <Isolation key="isolation" fleet={fleet} worker={worker} />],
    [
      'Parts',
      Object.entries(worker.threads)
        .map(([part, state]) => `${part}: ${state}`)
        .join(', ') || '–',
    ],
    ['In the queue', <JobLink key="job" worker={worker} />],
  ]
  const others = Object.entries(worker.published_to)
  if (others.length) {
    const told = others.slice(0, 8).map(([channel, n]) => `${clean(channel)} (${count(n)})`)
    facts.push(['Publishes also to', `${told.join(', ')}${others.length > 8 ? ` and ${others.length - 8} more` : ''}`])
  }
  if (kind === 'repeatable') {
    const next = worker.next_tick === null ? '–' : <Time ms={worker.next_tick * 1000} />
    facts.push(['Ticks', [`${worker.ticks} (${worker.skipped} skipped, ${worker.missed} missed), next `, next]])
  }
  if (worker.stop_info) facts.push(['Last end', clean(worker.stop_info)])
  return (
    <dl class="facts wide">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function messagesOf({ received, published, lost, dropped, errors }: PageWorker): string {
  const drops = dropped > 0 ? `, ${count(dropped)} dropped` : ''
  const failed = `${count(errors)} ${errors === 1 ? 'error' : 'errors'}`
  return `${count(received)} in, ${count(published)} out, ${count(lost)} lost${drops}, ${failed}`
}

/** A process of its own, or who is in it too: what blocks one of them blocks all. */
function Isolation({ fleet, worker }: { fleet: Fleet; worker: PageWorker }) {
  const { isolation, pid, node, nickname, status } = worker
  if (isolation === '') return <>–</>
  const others = [...fleet.workers.values()].filter(
    (one) => one.pid === pid && one.node === node && one.status === 'started' && one.nickname !== nickname,
  )
  const shares = fleet.types.find(({ type }) => type === worker.type)?.isolation === 'shared'
  if (isolation === 'process')
    return <>a process of its own{shares && ', for it held its neighbours up, or its memory is bounded'}</>
  if (others.length === 0 || status !== 'started')
    return <>a common child{status === 'started' && ', alone at present'}</>
  return (
    <>
      a common child, with <Names names={others.map((one) => one.nickname)} fleet={fleet} otherwise="" />
    </>
  )
}

function JobLink({ worker }: { worker: PageWorker }) {
  const { kind, wanted, foreign, nickname, revision, type } = worker
  if (foreign) return <>–</>
  const queue = `queues/queue/${encodeURIComponent(type)}`
  if (kind === 'repeatable' || !wanted) return <a href={queue}>queue {clean(type)}</a>
  const job = `w-${nickname}.${revision}`
  return <a href={`${queue}/${encodeURIComponent(job)}`}>job {job}</a>
}
