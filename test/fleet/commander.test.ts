import { expect, it } from 'vitest'
import { drawRevision } from '../../src/redis/fleet-scripts.js'
import { namesOf } from '../../src/redis/names.js'
import { processors } from '../faults/fixture.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

it('a command that a node has taken up, and that takes too long, is not said to be withdrawn', async () => {
  const ns = namespace()
  const [redis, names] = [connectRedis(), namesOf(ns)]
  const node = await startNode({ namespace: ns, processors: [processors('Quiet')] })
  const client = await clientOf(ns)
  await client.start('Quiet', 'slow')
  // an earlier command that never comes: the desk waits for it before it refuses a later one, and freezes meanwhile
  await drawRevision(redis, names, 'slow', 60_000)
  const late = client.start('Quiet', 'slow', {}, { timeoutMs: 800 }).catch((error: unknown) => error)
  await until(() => redis.llen(`${names.queuePrefix}:Command:active`), { everyMs: 2 })
  node.child.kill('SIGSTOP')
  expect(await late).toMatchObject({
    code: 'TIMEOUT',
    remedy: expect.stringMatching(/^A node has taken it up.*show slow/),
  })
  // nobody takes the next one
  const never = await client.stop('slow', { timeoutMs: 200 }).catch((error: unknown) => error)
  expect(`${never} ${(never as { remedy?: string }).remedy}`).toMatch(/it was withdrawn/)
  node.child.kill('SIGCONT')
})
