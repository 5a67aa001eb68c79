/** What of a node matters for sharing the work. */
export interface Sharer {
  name: string
  capacity: number
  types: readonly string[]
  draining: boolean
}

/**
 * How many of the wanted workers a node should host at most: for each type, its part by capacity among the nodes that
 * have the type; all together rounded up, and never above its capacity. So twenty workers on two equal nodes end as ten
 * and ten, and a type that only one node has is all that node's.
 * @param wanted number of wanted workers by type
 */
export function fairShare(node: Sharer, nodes: readonly Sharer[], wanted: ReadonlyMap<string, number>): number {
  let share = 0
  for (const [type, count] of wanted) {
    if (!node.types.includes(type)) continue
    const able = nodes.filter((other) => !other.draining && other.name !== node.name && other.types.includes(type))
    const total = able.reduce((sum, { capacity }) => sum + capacity, node.capacity)
    share += (count * node.capacity) / total
  }
  // a sum of thirds must not be rounded up for its last digit
  return Math.min(node.capacity, Math.ceil(share - 1e-9))
}
