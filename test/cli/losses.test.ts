import { expect, it } from 'vitest'
import { painter } from '../../src/cli/print.js'
import { table } from '../../src/cli/table.js'
import { workerText } from '../../src/cli/worker-text.js'
import { workerColumns } from '../../src/cli/workers.js'
import { fakeCli } from './fake-cli.js'
import { aWorker } from './views.js'

const lossy = aWorker({
  nickname: 'slow',
  lost: 12,
  lost_by: { 'HySAS.Worker.Demo.d.Pub': 12 },
  dropped: 3,
  dropped_by: { news: 3 },
  gaps: [{ from: 1_790_000_000, to: 1_790_000_002 }],
})

it('list has a column of lost messages only where some are lost', () => {
  const { cli } = fakeCli()
  expect(table(cli, workerColumns(cli), [aWorker()])).not.toContain('LOST')
  expect(table(cli, workerColumns(cli), [aWorker(), lossy])).toMatch(/LOST[\s\S]*slow .* 12/)
})

it('show tells what was lost, of which channel, and when the worker was cut off', () => {
  const { cli } = fakeCli()
  const paint = painter(cli.stdout, cli.env)
  const text = (worker: typeof lossy) => workerText({ worker, runs: [], log: [], next: '' }, paint)
  expect(text(lossy)).toContain(
    '12 messages never came: 12 of HySAS.Worker.Demo.d.Pub; 3 dropped, coming too fast: 3 of news',
  )
  expect(text(lossy)).toMatch(/cut off +at .* for 2 s/)
  expect(text(aWorker())).not.toMatch(/lost|cut off/)
})
