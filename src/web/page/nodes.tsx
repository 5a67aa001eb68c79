import type { Fleet } from './fleet.js'
import { moment, utc } from './format.js'

export function Nodes({ fleet }: { fleet: Fleet }) {
  return (
    <section aria-labelledby="nodes">
      <h2 id="nodes">Nodes</h2>
      {fleet.nodes.length === 0 && <p class="empty">No node is up.</p>}
      <ul class="nodes">
        {fleet.nodes.map((node) => (
          <li key={node.name}>
            <div class="head">
              <strong>{node.name}</strong>
              {node.name === fleet.servedBy && <span class="tag">this page</span>}
              {node.draining && <span class="tag warn">ending</span>}
            </div>
            <meter min={0} max={Math.max(1, node.capacity)} value={node.workers} aria-label={`Load of ${node.name}`} />
            <p>
              {node.workers} of {node.capacity} workers · {Math.round(node.memory_mb)} MB · loop{' '}
              {node.loop_delay_ms.toFixed(1)} ms
            </p>
            <p class="faint">
              {node.host}, process {node.pid}, version {node.version}, up since{' '}
              <time title={utc(node.started_at * 1000)}>{moment(node.started_at * 1000)}</time>
            </p>
          </li>
        ))}
      </ul>
    </section>
  )
}
