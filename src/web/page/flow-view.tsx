import type { Fleet, PageWorker } from './fleet.js'
import { FlowGraph } from './flow-graph.js'
import { clean, count, rate } from './format.js'
import { graphOf, READABLE } from './graph.js'
import { Names } from './names.js'
import { setQuery } from './route.js'
import { Tap } from './tap-view.js'
import { canTap } from './tappable.js'

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
          <p class="empty">{!fleet.known ? 'Reading the fleet…' : 'Nothing publishes or hears.'}</p>
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
  const heard = new Set(fleet.flows.map(({ channel }) => channel))
  const flows = fleet.flows.filter(({ by, from, to }) =>
    [from, to, ...by].map((name) => fleet.workers.get(name)).some((worker) => worker && keep(worker)),
  )
  const unheard = [...fleet.workers.values()].filter(keep).flatMap((worker) => {
    const { nickname, type, published, published_to, rate_out, rate_to } = worker
    const others = Object.entries(published_to)
    const toOthers = others.reduce((sum, [, n]) => sum + n, 0)
    const own = `${fleet.name}.Worker.${type}.${nickname}.Pub`
    const all = [
      ...(published > toOthers ? [{ channel: own, perSecond: rate_out - sumOf(rate_to) }] : []),
      ...others.map(([channel]) => ({ channel, perSecond: rate_to[channel] ?? 0 })),
    ]
    return all
      .filter(({ channel }) => !heard.has(channel))
      .map(({ channel, perSecond }) => ({ by: [nickname], to: '', channel, rate: Math.max(0, perSecond), lost: 0 }))
  })
  const rows = [...flows, ...unheard].sort((a, b) => b.lost - a.lost || b.rate - a.rate)
  return (
    <section aria-labelledby="channels">
      <h2 id="channels">Channels</h2>
      {rows.length === 0 && <p class="empty">None yet.</p>}
      <ul class="channels">
        {rows.slice(0, LISTED).map(({ by, to, channel, rate: perSecond, lost }) => (
          <li key={`${by[0]} ${channel} ${to}`} class={lost > 0 ? 'lossy' : perSecond === 0 ? 'still' : ''}>
            <span class="way">
              <Names names={by} fleet={fleet} otherwise="unknown" most={3} /> →{' '}
              <Names names={to ? [to] : []} fleet={fleet} otherwise="nobody" />
              <code>{clean(channel)}</code>
            </span>
            <span class="n">{rate(perSecond)}/s</span>
            <span class={lost > 0 ? 'n late' : 'n'}>{count(lost)} lost</span>
            {canTap(fleet.name, channel) && (
              <button type="button" aria-label={`Tap ${channel}`} onClick={() => setQuery({ tap: channel }, false)}>
                Tap
              </button>
            )}
          </li>
        ))}
      </ul>
      {rows.length > LISTED && <p class="faint">And {rows.length - LISTED} more: search for them.</p>}
    </section>
  )
}

const sumOf = (rates: Record<string, number>): number => Object.values(rates).reduce((sum, one) => sum + one, 0)
