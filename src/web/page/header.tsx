import type { Fleet, Link } from './fleet.js'
import { count, rate } from './format.js'
import { hrefOf, type View } from './route.js'
import { Sparkline } from './sparkline.js'
import { ThemeButton } from './theme.js'
import { Time } from './time.js'

const TABS = [
  ['fleet', 'Fleet'],
  ['flow', 'Data flow'],
  ['nodes', 'Nodes'],
  ['events', 'Events'],
] as const satisfies [View, string][]

interface HeaderProps {
  fleet: Fleet
  view: View
  problems: number
  /** May only look. */
  viewer: boolean
  onHelp: () => void
}

/** Whose fleet it is, whether what is shown is true, and the way to the views. */
export function Header({ fleet, view, problems, viewer, onHelp }: HeaderProps) {
  return (
    <header>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        To the content
      </button>
      <div class="bar">
        <h1>
          <img src="icon.svg" alt="" width="28" height="28" /> {fleet.name || 'HySAS'}
        </h1>
        <Connection fleet={fleet} />
        {viewer && (
          <span class="tag" title="Your token is the viewer's: it shows everything and changes nothing.">
            viewer
          </span>
        )}
        <div class="further">
          <a href="queues">Queues</a>
          <a href="api/v1/openapi.json">API</a>
          <ThemeButton />
          <button type="button" class="quiet" onClick={onHelp} aria-label="Keyboard shortcuts">
            ?
          </button>
        </div>
      </div>
      <nav class="tabs" aria-label="Views">
        {TABS.map(([one, word]) => {
          const here = one === view || (one === 'fleet' && view === 'worker')
          return (
            <a key={one} href={hrefOf(one)} {...(here && { 'aria-current': 'page' as const })}>
              {word}
              {one === 'fleet' && problems > 0 && <span class="count">{problems}</span>}
            </a>
          )
        })}
      </nav>
    </header>
  )
}

/** The fleet in five numbers. */
export function Figures({ fleet, problems }: { fleet: Fleet; problems: number }) {
  const workers = [...fleet.workers.values()]
  const wanted = workers.filter((worker) => worker.wanted)
  const running = wanted.filter(({ status }) => status === 'started')
  const last = fleet.total
  const told = (value: string) => (fleet.known ? value : '–')
  return (
    <dl class="figures">
      <Figure label="Workers running" value={told(count(running.length))} of={`of ${told(count(wanted.length))}`} />
      <Figure label="Nodes" value={told(count(fleet.nodes.length))} />
      <Figure label="Problems" value={told(count(problems))} bad={problems > 0} />
      <Figure label="Published" value={told(rate(last.out))} of="per s">
        <Sparkline
          values={fleet.history.map(({ out }) => out)}
          label="Messages published per second, the last 15 minutes"
        />
      </Figure>
      <Figure label="Received" value={told(rate(last.in))} of="per s">
        <Sparkline
          values={fleet.history.map((one) => one.in)}
          label="Messages received per second, the last 15 minutes"
        />
      </Figure>
    </dl>
  )
}

function Connection({ fleet: { link, refusal, asOf, servedBy } }: { fleet: Fleet }) {
  const words: Record<Link, string> = {
    connecting: 'connecting…',
    live: 'live',
    lost: refusal ? `: ${refusal}` : ', reconnecting',
    stale: `: ${servedBy || 'the node'} has lost Redis`,
    denied: ': signed out. Open the link of “hysas link”.',
  }
  const dated = link !== 'live' && link !== 'connecting'
  return (
    <p class={`link ${link}`} role="status">
      <span class="dot" aria-hidden="true" />{' '}
      <span>
        {dated && (
          <>
            as of <Time ms={asOf.getTime()} />
          </>
        )}
        {words[link]}
      </span>
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
