import type { Fleet, PageWorker } from './fleet.js'
import { FlowGraph } from './flow-graph.js'
import { clean, count, rate } from './format.js'
import { graphOf, READABLE } from './graph.js'
import { hrefOf, setQuery } from './route.js'
import { Tap } from './tap-view.js'

const LISTED = 200

/** Who publishes what and who hears it, as it was seen; a tap on any channel of it. */
export function FlowView({ fleet, query }: { fleet: Fleet; query: URLSearchParams }) {
  const q = (query.get('q') ?? '').toLowerCase()
  const type = query.get('type') ?? ''
  const tap = query.get('tap') ?? ''
  const keep = ({ nickname, type: of, node }: PageWorker) =>
    (!type || of === type) && (!q || `${nickname} ${of} ${node}`.toLowerCase().includes(q))
  const kept = [...fleet.workers.values()].filter(keep).length
  const asked = query.get('by')
  const by = asked === 'worker' || asked === 'type' ? asked : kept > READABLE ? 'type' : 'worker'
  const graph = graphOf(fleet, by, keep)
  return (
    <>
      <section aria-labelledby="flow">
        <div class="section-head">
          <h2 id="flow">Data flow</h2>
          <input
            type="search"
            id="search"
            placeholder="Worker, type or node"
            aria-label="Search the graph"
            value={query.get('q') ?? ''}
            onInput={(event) => setQuery({ q: event.currentTarget.value })}
          />
          {type && (
            <button type="button" class="quiet" onClick={() => setQuery({ type: '' })}>
              {clean(type)} only ×
            </button>
          )}
          <fieldset class="choices" aria-label="What a box is">
            {(['worker', 'type'] as const).map((one) => (
              <button key={one} type="button" aria-pressed={one === by} onClick={() => setQuery({ by: one })}>
                by {one}
              </button>
            ))}
          </fieldset>
        </div>
        {graph.parts.length === 0 ? (
          <p class="empty">{fleet.link === 'connecting' ? 'Reading the fleet…' : 'Nothing publishes or hears.'}</p>
        ) : graph.parts.length > 300 ? (
          <p class="empty">{graph.parts.length} boxes are too many to be read: search, or look at it by type.</p>
        ) : (
          <FlowGraph graph={graph} />
        )}
        <p class="legend">
          <i class="good" /> flowing <i class="silent" /> silent <i class="bad" /> dead, or messages lost
        </p>
      </section>
      {tap && <Tap key={tap} channel={tap} />}
      <Channels fleet={fleet} keep={keep} />
    </>
  )
}

function Channels({ fleet, keep }: { fleet: Fleet; keep: (worker: PageWorker) => boolean }) {
  const heard = new Set(fleet.flows.map(({ from }) => from))
  const flows = fleet.flows.filter(({ from, to }) =>
    [fleet.workers.get(from), fleet.workers.get(to)].some((worker) => worker && keep(worker)),
  )
  const unheard = [...fleet.workers.values()]
    .filter((worker) => keep(worker) && worker.published > 0 && !heard.has(worker.nickname))
    .map(({ nickname, type, rate_out }) => ({
      ...{ from: nickname, to: '', channel: `${fleet.name}.Worker.${type}.${nickname}.Pub`, rate: rate_out, lost: 0 },
    }))
  const rows = [...flows, ...unheard].sort((a, b) => b.lost - a.lost || b.rate - a.rate)
  return (
    <section aria-labelledby="channels">
      <h2 id="channels">Channels</h2>
      {rows.length === 0 && <p class="empty">None yet.</p>}
      <ul class="channels">
        {rows.slice(0, LISTED).map(({ from, to, channel, rate: perSecond, lost }) => (
          <li key={`${channel} ${to}`} class={lost > 0 ? 'lossy' : perSecond === 0 ? 'still' : ''}>
            <span class="way">
              <Name name={from} fleet={fleet} /> → {to ? <Name name={to} fleet={fleet} /> : <em>nobody</em>}
              <code>{clean(channel)}</code>
            </span>
            <span class="n">{rate(perSecond)}/s</span>
            <span class={lost > 0 ? 'n late' : 'n'}>{count(lost)} lost</span>
            <button type="button" aria-label={`Tap ${channel}`} onClick={() => setQuery({ tap: channel }, false)}>
              Tap
            </button>
          </li>
        ))}
      </ul>
      {rows.length > LISTED && <p class="faint">And {rows.length - LISTED} more: search for them.</p>}
    </section>
  )
}

const Name = ({ name, fleet }: { name: string; fleet: Fleet }) =>
  fleet.workers.has(name) ? <a href={hrefOf('worker', name)}>{clean(name)}</a> : <span>{clean(name)}</span>
