import { describe, expect, test } from 'vitest'
import { until } from '../helpers/until.js'
import { ISOLATIONS, playNode, startWorker } from './harness.js'

describe.each(ISOLATIONS)('%s isolation:', (isolation) => {
  const node = playNode({ isolation })

  const BODY = `async (job, token, signal) => {
  await job.log('step one')
  await job.updateProgress(50)
  console.log(JSON.stringify({ data: job.data, id: job.id, token: typeof token, aborted: signal.aborted }))
  if (job.data.wait) await new Promise((resolve) => signal.addEventListener('abort', resolve))
  if (job.data.fail) throw new Error('plainly wrong')
  await job.updateData({ changed: true })
  return 42
}`

  test.each([
    ['ESM', 'Probe.ts', `export default ${BODY}`],
    ['CommonJS', 'Probe.cjs', `module.exports = ${BODY}`],
    ['compiled CommonJS', 'Probe.cjs', `exports.__esModule = true; exports.default = ${BODY}`],
  ])('a plain BullMQ processor in %s runs unchanged', async (kind, file, source) => {
    const [nickname, second, third] = [1, 2, 3].map((n) => `${kind.replace(' ', '-')}-${n}`) as [string, string, string]
    const { child, job, info } = await startWorker(node, source, { nickname, file, params: { a: 1 } })
    expect(await child.result()).toEqual({ value: { how: 'done', nickname } })
    await until(() => child.output.length)
    expect(JSON.parse(child.output[0] ?? '')).toEqual({ data: { a: 1 }, id: job.id, token: 'string', aborted: false })
    expect(child.messages).toContainEqual({ cmd: 5, value: 'step one' })
    expect(child.messages).toContainEqual({ cmd: 8, value: 50 })
    expect(await info()).toMatchObject({ status: 'terminated', stop_info: 'work done', progress: '50' })

    const failing = await startWorker(node, source, { nickname: second, file, params: { fail: true } })
    expect(await failing.child.result()).toMatchObject({ failure: { message: 'plainly wrong' } })

    const waiting = await startWorker(node, source, { nickname: third, file, params: { wait: true } })
    await until(() => waiting.child.said('started'))
    waiting.child.cancel('stop')
    expect(await waiting.child.result()).toEqual({ value: { how: 'stopped', nickname: third } })
  })
})
