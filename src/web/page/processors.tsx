import type { TypeOnNode, TypeView } from '../../fleet/views.js'
import { type Fleet, isBroken } from './fleet.js'
import { clean, count } from './format.js'
import { hrefOf } from './route.js'
import { Time } from './time.js'

/** Every processor with its versions on the nodes; broken ones first, with what is wrong. */
export function Processors({ fleet }: { fleet: Fleet }) {
  const types = [...fleet.types].sort(
    (a, b) => Number(isBroken(b)) - Number(isBroken(a)) || a.type.localeCompare(b.type),
  )
  return (
    <section aria-labelledby="processors">
      <h2 id="processors">Processors</h2>
      {types.length === 0 && (
        <p class="empty">{fleet.known ? 'No node has a processor.' : 'Reading the processors…'}</p>
      )}
      <ul class="processors">
        {types.map((type) => (
          <li key={type.type}>
            <Processor type={type} />
          </li>
        ))}
      </ul>
    </section>
  )
}

function Processor({ type }: { type: TypeView }) {
  const every = type.cron ?? (type.every === null ? '' : `every ${type.every} ms`)
  const versions = new Set(type.nodes.map(({ version }) => version))
  return (
    <>
      <p class="node-name">
        <a href={hrefOf('fleet', '', { type: type.type })}>{clean(type.type)}</a>
        <span class="tag">{type.kind}</span>
        {type.isolation === 'shared' && <span class="tag">shared child</span>}
        <span class="tag">{type.builtin ? 'built in' : 'your own'}</span>
        {isBroken(type) && <span class="tag bad">broken</span>}
        {versions.size > 1 && <span class="tag warn">{versions.size} versions</span>}
        <span class="faint">
          {count(type.workers)} {type.workers === 1 ? 'worker' : 'workers'}
          {every && `, ${every}`}
        </span>
      </p>
      <p class="small">{clean(type.description)}</p>
      <ul class="small">
        {sameOf(type.nodes).map(([first, ...others]) => (
          <li key={first.node}>
            <OnNode of={first} all={[first, ...others]} />
          </li>
        ))}
      </ul>
      {type.error && !type.nodes.some(({ error }) => error) && <pre class="error">{clean(type.error)}</pre>}
    </>
  )
}

/** Nodes that have the same are told together. */
function sameOf(nodes: readonly TypeOnNode[]): [TypeOnNode, ...TypeOnNode[]][] {
  const groups = new Map<string, [TypeOnNode, ...TypeOnNode[]]>()
  for (const one of nodes) {
    const key = JSON.stringify([one.version, one.file, one.error])
    const group = groups.get(key)
    if (group) group.push(one)
    else groups.set(key, [one])
  }
  return [...groups.values()]
}

function OnNode({ of, all }: { of: TypeOnNode; all: readonly TypeOnNode[] }) {
  const { version, file, error } = of
  const since = Math.min(...all.map(({ error_since }) => error_since ?? Number.POSITIVE_INFINITY))
  return (
    <>
      <strong>
        {all
          .map(({ node }) => clean(node))
          .sort()
          .join(', ')}
      </strong>{' '}
      {version ? (
        <>
          version <code>{version}</code>
        </>
      ) : (
        'no version that works'
      )}{' '}
      <span class="faint">
        {clean(file)}
        {Number.isFinite(since) && (
          <>
            {' '}
            broken since <Time ms={since * 1000} />
          </>
        )}
      </span>
      {error && <pre class="error">{clean(error)}</pre>}
    </>
  )
}
