import type { NodeView } from '../../fleet/views.js'
import type { Fleet } from './fleet.js'
import { clean, count } from './format.js'
import { Processors } from './processors.js'
import { hrefOf } from './route.js'
import { Time } from './time.js'

/** Name and load of each node, for the side of the fleet. */
export function NodesInShort({ fleet }: { fleet: Fleet }) {
  return (
    <section aria-labelledby="nodes">
      <div class="section-head">
        <h2 id="nodes">Nodes</h2>
        <a href={hrefOf('nodes')}>Nodes and processors</a>
      </div>
      {fleet.nodes.length === 0 && <p class="empty">{fleet.known ? 'No node is up.' : 'Reading the nodes…'}</p>}
      <ul class="nodes">
        {fleet.nodes.map((node) => (
          <li key={node.name}>
            <NodeName node={node} here={node.name === fleet.servedBy} />
            <Load node={node} />
          </li>
        ))}
      </ul>
    </section>
  )
}

/** Nodes and processors with all that is known of them. */
export function Nodes({ fleet }: { fleet: Fleet }) {
  return (
    <>
      <section aria-labelledby="nodes">
        <h2 id="nodes">Nodes</h2>
        {fleet.nodes.length === 0 && (
          <p class="empty">{fleet.known ? 'No node is up. Start one with “hysas up”.' : 'Reading the nodes…'}</p>
        )}
        <ul class="cards">
          {fleet.nodes.map((node) => (
            <li key={node.name}>
              <NodeName node={node} here={node.name === fleet.servedBy} />
              <Load node={node} />
              <NodeFacts node={node} workers={fleet.workers} />
              {node.problems.map((problem) => (
                <p key={problem} class="form-error">
                  {clean(problem)}
                  {problem in node.problems_since && (
                    <span class="faint">
                      {' '}
                      since <Time ms={(node.problems_since[problem] ?? 0) * 1000} />
                    </span>
                  )}
                </p>
              ))}
            </li>
          ))}
        </ul>
      </section>
      <Processors fleet={fleet} />
    </>
  )
}

function NodeName({ node, here }: { node: NodeView; here: boolean }) {
  return (
    <p class="node-name">
      <a href={hrefOf('fleet', '', { node: node.name })}>{clean(node.name)}</a>
      {here && <span class="tag">this page</span>}
      {node.draining && <span class="tag warn">ending</span>}
      {node.problems.length > 0 && <span class="tag bad">trouble</span>}
    </p>
  )
}

function Load({ node }: { node: NodeView }) {
  const share = Math.min(1, node.workers / Math.max(1, node.capacity))
  return (
    <>
      <meter min={0} max={1} high={0.9} value={share} aria-label={`Load of ${node.name}`} />
      <p class="small">
        {count(node.workers)} of {count(node.capacity)} workers · {Math.round(node.memory_mb)} MB · loop{' '}
        {node.loop_delay_ms.toFixed(1)} ms late
      </p>
    </>
  )
}

function NodeFacts({ node, workers }: { node: NodeView; workers: Fleet['workers'] }) {
  return (
    <dl class="facts">
      <Fact name="Host" value={`${node.host}, process ${node.pid}`} />
      <Fact name="HySAS" value={`version ${node.version}`} />
      <div>
        <dt>Up since</dt>
        <dd>
          <Time ms={node.started_at * 1000} />
        </dd>
      </div>
      <Fact name="Children" value={childrenOf(node, workers)} />
      <Fact name="Processors" value={[...node.types].sort().join(', ') || 'none'} />
      {/^https?:/.test(node.url) && (
        <div>
          <dt>Its page</dt>
          <dd>
            <a href={node.url}>{node.url}</a>
          </dd>
        </div>
      )}
      {Object.keys(node.broken).length > 0 && (
        <div>
          <dt class="bad">Broken here</dt>
          <dd>{Object.keys(node.broken).sort().map(clean).join(', ')} (why, below)</dd>
        </div>
      )}
    </dl>
  )
}

/** How its workers lie in processes, as far as their heartbeats tell. */
function childrenOf(node: NodeView, workers: Fleet['workers']): string {
  const common = new Map<number, number>()
  let own = 0
  for (const { node: on, pid, status, isolation } of workers.values()) {
    if (on !== node.name || status !== 'started' || pid === null) continue
    if (isolation === 'shared') common.set(pid, (common.get(pid) ?? 0) + 1)
    else if (isolation === 'process') own++
  }
  const told = [...common].map(([pid, n]) => `${count(n)} ${n === 1 ? 'worker' : 'workers'} in common child ${pid}`)
  if (own > 0) told.push(`${count(own)} ${own === 1 ? 'worker' : 'workers'} in a process each`)
  return told.join('; ') || 'none'
}

const Fact = ({ name, value }: { name: string; value: string }) => (
  <div>
    <dt>{name}</dt>
    <dd>{clean(value)}</dd>
  </div>
)
