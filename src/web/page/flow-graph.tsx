import { clean, count, rate } from './format.js'
import type { Edge, Graph, Part } from './graph.js'
import { BOX, layersOf, type Place } from './layers.js'
import { hrefOf } from './route.js'
import { SCROLLS } from './scrolls.js'

/** The graph as a drawing that scrolls within itself where it is wider than the page. */
export function FlowGraph({ graph }: { graph: Graph }) {
  const { places, ways, width, height } = layersOf(graph)
  const placeOf = (id: string): Place => places.get(id) ?? { x: 0, y: 0 }
  const lines = graph.edges.map((edge) => lineOf(edge, [edge.from, ...(ways.get(edge.id) ?? []), edge.to].map(placeOf)))
  return (
    <section class="graph" {...SCROLLS} aria-label="Graph of the data flow; the list of channels below says the same">
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
        <title>Who publishes what, and who hears it</title>
        <defs>
          <marker
            id="arrow"
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerUnits="userSpaceOnUse"
            markerWidth="11"
            markerHeight="11"
            orient="auto-start-reverse"
          >
            <path d="M0 0 8 4 0 8z" />
          </marker>
        </defs>
        {lines.map((line) => (
          <EdgePath key={line.edge.id} {...line} />
        ))}
        {/* over all lines, so that none crosses a number out */}
        {lines.map((line) => (
          <EdgeLabel key={line.edge.id} {...line} />
        ))}
        {graph.parts.map((part) => (
          <Box key={part.id} part={part} at={placeOf(part.id)} />
        ))}
      </svg>
    </section>
  )
}

function Box({ part, at }: { part: Part; at: Place }) {
  const { kind, name, note, look } = part
  const box = (
    <g class={`part ${kind} ${look}`} transform={`translate(${at.x} ${at.y})`}>
      <title>{`${clean(name)}, ${clean(note)}`}</title>
      <rect width={BOX.width} height={BOX.height} rx="8" />
      <circle cx="16" cy="18" r="5" />
      <text x="28" y="22" class="part-name">
        {short(clean(name), 19)}
      </text>
      <text x="28" y="39" class="part-note">
        {short(clean(note), 22)}
        {look === 'silent' ? ' · silent' : ''}
      </text>
    </g>
  )
  if (kind === 'channel') return box
  return (
    <a href={kind === 'worker' ? hrefOf('worker', name) : hrefOf('flow', '', { type: name, by: 'worker' })}>{box}</a>
  )
}

interface EdgeLine {
  edge: Edge
  path: string
  /** Where the numbers stand. */
  label: Place
  text: string
  look: string
}

function lineOf(edge: Edge, stops: readonly Place[]): EdgeLine {
  const { path, label } = wayOf(stops, edge.from === edge.to)
  const lossy = edge.lost > 0
  const look = lossy ? 'lossy' : edge.rate === 0 ? 'still' : 'flowing'
  const text = `${rate(edge.rate)}/s${lossy ? ` · ${count(edge.lost)} lost` : ''}`
  return { edge, path, label, text, look }
}

function EdgePath({ edge, path, text, look }: EdgeLine) {
  return (
    <g class={`edge ${look}`}>
      <title>{`${edge.channels.map(clean).join(', ')}: ${text}`}</title>
      <path
        d={path}
        stroke-width={edge.rate === 0 ? 1.3 : Math.min(5, 1.3 + Math.log10(1 + edge.rate))}
        marker-end="url(#arrow)"
      />
    </g>
  )
}

function EdgeLabel({ edge, label, text, look }: EdgeLine) {
  return (
    <g class={`edge ${look}`}>
      <title>{edge.channels.map(clean).join(', ')}</title>
      <text x={label.x} y={label.y} text-anchor="middle">
        {text}
      </text>
    </g>
  )
}

function wayOf(stops: readonly Place[], isLoop: boolean): { path: string; label: Place } {
  const [first = { x: 0, y: 0 }, second = first] = stops
  if (isLoop) return loop(first)
  if (stops.length === 2) return curve(first, second)
  const half = BOX.height / 2
  let path = `M${first.x + BOX.width} ${first.y + half}`
  for (let i = 1; i < stops.length; i++) {
    const [from, to] = [stops[i - 1] ?? first, stops[i] ?? second]
    const bend = (to.x - from.x - BOX.width) / 2
    path += `C${from.x + BOX.width + bend} ${from.y + half} ${to.x - bend} ${to.y + half} ${to.x - (i === stops.length - 1 ? 2 : 0)} ${to.y + half}`
    if (i < stops.length - 1) path += `H${to.x + BOX.width}`
  }
  return { path, label: { x: second.x + BOX.width / 2, y: second.y + half - 7 } }
}

function curve(from: Place, to: Place): { path: string; label: Place } {
  const back = to.x <= from.x
  const [x1, y1] = [from.x + BOX.width, from.y + BOX.height / 2]
  const [x2, y2] = [to.x, to.y + BOX.height / 2]
  if (!back) {
    const bend = Math.max(40, (x2 - x1) / 2)
    return {
      path: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2 - 2} ${y2}`,
      label: { x: (x1 + x2) / 2, y: (y1 + y2) / 2 - 7 },
    }
  }
  // against the stream, or within one column: around below
  const low = Math.max(y1, y2) + BOX.height
  return {
    path: `M${x1} ${y1}C${x1 + 60} ${low} ${x2 - 60} ${low} ${x2 - 2} ${y2}`,
    label: { x: (x1 + x2) / 2, y: (y1 + y2) / 2 + BOX.height * 0.72 },
  }
}

/** Of a part that hears itself. */
function loop({ x, y }: Place): { path: string; label: Place } {
  const [right, top] = [x + BOX.width, y + BOX.height]
  return {
    path: `M${right} ${y + 16}C${right + 44} ${y + 6} ${right + 44} ${top - 6} ${right + 2} ${top - 14}`,
    label: { x: right + 62, y: y + BOX.height / 2 + 4 },
  }
}

const short = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text)
