import type { Fleet, Link } from './fleet.js'
import { clock, count, rate } from './format.js'
import { Sparkline } from './sparkline.js'

/** Whose fleet it is, whether what is shown is true, and the fleet in five numbers. */
export function Header({ fleet, problems }: { fleet: Fleet; problems: number }) {
  const workers = [...fleet.workers.values()]
  const wanted = workers.filter((worker) => worker.wanted)
  const running = wanted.filter(({ status }) => status === 'started')
  const last = fleet.history.at(-1) ?? { in: 0, out: 0 }
  return (
    <header>
      <div class="bar">
        <h1>
          <img src="/icon.svg" alt="" width="28" height="28" /> {fleet.name || 'HySAS'}
        </h1>
        <Connection link={fleet.link} asOf={fleet.asOf} servedBy={fleet.servedBy} />
        <nav aria-label="Further pages">
          <a href="/queues">Queues</a>
          <a href="/api/v1/openapi.json">API</a>
        </nav>
      </div>
      <dl class="figures">
        <Figure label="Workers running" value={count(running.length)} of={`of ${count(wanted.length)}`} />
        <Figure label="Nodes" value={count(fleet.nodes.length)} />
        <Figure label="Problems" value={count(problems)} bad={problems > 0} />
        <Figure label="Published" value={rate(last.out)} of="per s">
          <Sparkline values={fleet.history.map(({ out }) => out)} label="Messages published per second, of late" />
        </Figure>
        <Figure label="Received" value={rate(last.in)} of="per s">
          <Sparkline values={fleet.history.map((one) => one.in)} label="Messages received per second, of late" />
        </Figure>
      </dl>
    </header>
  )
}

function Connection({ link, asOf, servedBy }: { link: Link; asOf: Date; servedBy: string }) {
  const at = clock(asOf)
  const words: Record<Link, string> = {
    connecting: 'connecting…',
    live: 'live',
    lost: `as of ${at}, reconnecting`,
    stale: `as of ${at}: ${servedBy || 'the node'} has lost Redis`,
    denied: `as of ${at}: signed out. Open the link of “hysas link”.`,
  }
  return (
    <p class={`link ${link}`} role="status">
      <span class="dot" aria-hidden="true" /> {words[link]}
    </p>
  )
}

function Figure(of: { label: string; value: string; of?: string; bad?: boolean; children?: preact.ComponentChildren }) {
  return (
    <div class="figure">
      <dt>{of.label}</dt>
      <dd>
        <span class={of.bad ? 'value bad' : 'value'}>{of.value}</span> {of.of && <span class="of">{of.of}</span>}
        {of.children}
      </dd>
    </div>
  )
}
