import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { againAfter, lives, processors, shown } from '../faults/fixture.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { findProgram } from '../helpers/process.js'
import { until } from '../helpers/until.js'

const prlimit = process.platform === 'linux' ? findProgram('prlimit') : undefined

it.skipIf(!prlimit)(
  'a node without free descriptors loses no worker, tells why it can start none, and does so when it has some',
  async () => {
    const ns = namespace()
    const node = await startNode({ namespace: ns, processors: [processors('Numbers')] })
    const client = await clientOf(ns)
    const limit = (count: number) => spawnSync(prlimit as string, ['--pid', String(node.pid), `--nofile=${count}:`])
    const first = await client.start('Numbers', 'first')
    await until(async () => (await client.show('first')).status === 'started')
    // spare ones have come
    await new Promise((resolve) => setTimeout(resolve, 1000))
    limit(readdirSync(`/proc/${node.pid}/fd`).length)

    // takes both spare ones, and finds none; those that follow can't be started
    for (const nickname of ['a', 'b', 'c', 'd']) void client.start('Numbers', nickname).catch(() => {})
    await until(() => /no spare child can be started: .*EMFILE/.test(node.output()), { what: 'its log tells' })
    const failed = await until(
      async () => (await client.list()).find(({ error_msg }) => /could not be started: .*EMFILE/.test(error_msg ?? '')),
      { timeoutMs: 20_000, what: 'a worker that tells' },
    )
    expect(await client.show('first')).toMatchObject({ pid: first.pid, status: 'started', restarts: 0 })
    expect(lives(node.pid)).toBe(true)

    limit(4096)
    for (const nickname of ['a', 'b', 'c', 'd', failed.nickname]) {
      await shown(client, nickname, againAfter(null), 60_000)
    }
    expect(node.output().match(/no spare child/g)).toHaveLength(1)
    expect(await client.show('first')).toMatchObject({ pid: first.pid, status: 'started', restarts: 0 })
  },
)
