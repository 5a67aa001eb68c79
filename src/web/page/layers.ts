import type { Graph } from './graph.js'

export interface Place {
  x: number
  y: number
}
export interface Layout {
  places: Map<string, Place>
  /** By edge, the places (keys of `places`) that it goes through. */
  ways: Map<string, string[]>
  width: number
  height: number
}

export const BOX = { width: 184, height: 50 }
const STEP = { x: 336, y: 74 }
const EDGE = 24

/**
 * Places parts in columns, so that most edges go from left to right (after Sugiyama, Tagawa and Toda, 1981): layers by the longest
 * way from a source, with edges that close a circle left out; order within a layer by where its neighbours are.
 */
export function layersOf({ parts, edges }: Graph): Layout {
  const ids = parts.map(({ id }) => id).sort()
  const next = new Map<string, string[]>(ids.map((id) => [id, []]))
  for (const { from, to } of edges) if (from !== to) next.get(from)?.push(to)
  const layer = depthsOf(ids, next)
  const columns: string[][] = []
  const put = (id: string, at: number) => {
    columns[at] ??= []
    columns[at].push(id)
  }
  for (const id of ids) put(id, layer.get(id) ?? 0)
  // an edge over several columns takes a place in each between, so that it goes around what stands there
  const ways = new Map<string, string[]>()
  const links: { from: string; to: string }[] = []
  for (const { id, from, to } of edges) {
    const [first, last] = [layer.get(from) ?? 0, layer.get(to) ?? 0]
    const way = Array.from({ length: Math.max(0, last - first - 1) }, (_, i) => `${id} ${i}`)
    way.forEach((place, i) => {
      put(place, first + 1 + i)
    })
    ways.set(id, way)
    const stops = [from, ...way, to]
    for (let i = 1; i < stops.length; i++) links.push({ from: stops[i - 1] ?? '', to: stops[i] ?? '' })
  }
  const near = neighboursOf([...columns.flat()], links)
  for (let pass = 0; pass < 4; pass++) order(columns, near)
  const tallest = Math.max(0, ...columns.map((column) => column?.length ?? 0))
  const places = new Map<string, Place>()
  columns.forEach((column, i) => {
    const top = EDGE + ((tallest - column.length) * STEP.y) / 2
    column.forEach((id, j) => {
      places.set(id, { x: EDGE + i * STEP.x, y: top + j * STEP.y })
    })
  })
  const width = EDGE * 2 + Math.max(0, columns.length - 1) * STEP.x + BOX.width
  return { places, ways, width, height: EDGE * 2 + Math.max(0, tallest - 1) * STEP.y + BOX.height }
}

/** By id, the longest way to it from a source, over edges that close no circle. */
function depthsOf(ids: readonly string[], next: ReadonlyMap<string, readonly string[]>): Map<string, number> {
  const state = new Map<string, 'open' | 'done'>()
  const sorted: string[] = []
  const forward = new Map<string, string[]>()
  const visit = (id: string) => {
    state.set(id, 'open')
    for (const to of next.get(id) ?? []) {
      if (state.get(to) === 'open') continue
      forward.set(id, [...(forward.get(id) ?? []), to])
      if (!state.has(to)) visit(to)
    }
    state.set(id, 'done')
    sorted.unshift(id)
  }
  const heard = new Set([...next].flatMap(([id, all]) => all.filter((to) => to !== id)))
  for (const id of [...ids.filter((one) => !heard.has(one)), ...ids]) if (!state.has(id)) visit(id)
  const depth = new Map(ids.map((id) => [id, 0]))
  for (const id of sorted) {
    for (const to of forward.get(id) ?? []) depth.set(to, Math.max(depth.get(to) ?? 0, (depth.get(id) ?? 0) + 1))
  }
  return depth
}

function neighboursOf(ids: readonly string[], edges: readonly { from: string; to: string }[]): Map<string, string[]> {
  const near = new Map<string, string[]>(ids.map((id) => [id, []]))
  for (const { from, to } of edges) {
    near.get(from)?.push(to)
    near.get(to)?.push(from)
  }
  return near
}

function order(columns: string[][], near: ReadonlyMap<string, readonly string[]>): void {
  const at = new Map<string, number>()
  const number = (column: readonly string[]) => {
    for (const [i, id] of column.entries()) at.set(id, i - column.length / 2)
  }
  columns.forEach(number)
  for (const column of columns) {
    const middle = (id: string) => {
      const all = near.get(id) ?? []
      return all.length ? all.reduce((sum, one) => sum + (at.get(one) ?? 0), 0) / all.length : (at.get(id) ?? 0)
    }
    const keys = new Map(column.map((id) => [id, middle(id)]))
    column.sort((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0) || (a < b ? -1 : 1))
    number(column)
  }
}
