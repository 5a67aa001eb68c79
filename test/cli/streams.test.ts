import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openStore } from '../../src/store/store.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode, type TestNode } from '../helpers/node.js'

/** What the fleet's own record says of the worker. */
async function recorded(node: TestNode, ns: string): Promise<string[]> {
  const store = await openStore({ sqliteFile: join(node.folder, `.hysas/hysas-${ns}.db`) })
  try {
    return (await store.find({ nickname: 'demo', limit: 10 })).map(({ kind }) => kind).reverse()
  } finally {
    await store.close()
  }
}

it.each([
  ['whose readers have ended', []],
  ['whose disk of logs is full', ['sh', '-c', 'exec "$@" 2>/dev/full', 'sh']],
])('a node %s goes on, and ends in order', async (_what, via) => {
  const ns = namespace()
  const node = await startNode({ namespace: ns, via })
  const client = await clientOf(ns)
  if (!via.length) for (const stream of [node.child.stdout, node.child.stderr]) stream?.destroy()
  await client.start('Demo', 'demo', {}) // the node tells its log of it
  process.kill(node.pid, 'SIGINT')
  expect(await node.exited).toEqual({ code: 0, signal: null })
  expect(await recorded(node, ns)).toEqual(expect.arrayContaining(['started', 'stopped']))
})
