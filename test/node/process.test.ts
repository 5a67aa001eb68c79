import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Client } from '../../src/client.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { until } from '../helpers/until.js'

const BOTH = { raw: 'raw.db', event: 'event.db' }

/** A folder whose nodes have other databases with each start. */
function fleet() {
  const [ns, folder] = [namespace(), temporaryFolder('hysas-node')]
  return {
    client: () => clientOf(ns),
    up(databases: Record<string, string>, options = {}) {
      writeFileSync(join(folder, 'hysas.config.json'), JSON.stringify({ databases }))
      return startNode({ namespace: ns, folder, ...options })
    },
  }
}
const processOf = async (client: Client) => (await client.list()).find(({ nickname }) => nickname === 'Process')
const isWanted = async (client: Client) => (await processOf(client))?.wanted ?? false

describe('the worker Process', () => {
  it('is wanted where its databases are configured, may be stopped, and keeps the parameters it is given', async () => {
    const { up, client: newClient } = fleet()
    const first = await up(BOTH)
    const client = await newClient()
    await until(async () => (await processOf(client))?.status === 'started')
    expect(await client.stop('Process')).toMatchObject({ result: 'stopped' })
    expect(await isWanted(client)).toBe(false)
    await client.start('Process', 'Process', { everyMs: 50 })
    await client.shutdown()
    await first.exited

    const second = await up(BOTH)
    await until(async () => (await processOf(client))?.status === 'started')
    expect(await processOf(client)).toMatchObject({ wanted: true, system: false, params: { everyMs: 50 } })
    await client.restart('Process', { params: { everyMs: 60 } })
    await client.shutdown()
    await second.exited

    await up({})
    expect(await processOf(client)).toMatchObject({ wanted: false })
  })

  it('is left alone by a node without its databases while another node is up', async () => {
    const { up, client: newClient } = fleet()
    await up(BOTH)
    const client = await newClient()
    await up({})
    expect(await isWanted(client)).toBe(true)
  })

  it("is left alone without its databases where an operator has started it from a file of the operator's own", async () => {
    const { up, client: newClient } = fleet()
    const processors = temporaryFolder('hysas-processors')
    writeFileSync(
      join(processors, 'Process.ts'),
      "import { defineProcessor } from 'hysas'\nexport default defineProcessor({ async start() {} })\n",
    )
    const first = await up({}, { processors: [processors] })
    const client = await newClient()
    await client.start('Process', 'Process')
    await client.shutdown()
    await first.exited
    await up({}, { processors: [processors] })
    expect(await isWanted(client)).toBe(true)
  })
})
