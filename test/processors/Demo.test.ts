import { createHarness } from 'hysas/testing'
import { expect, test } from 'vitest'
import Demo from '../../processors/Demo.js'

test('publishes a number every second and logs what it hears of itself', async () => {
  const demo = createHarness(Demo, { type: 'Demo', nickname: 'DemoName' })
  await demo.start()
  await demo.advance(2000)
  expect(demo.published.map(({ data, channel }) => ({ data, channel }))).toEqual(
    [0, 1, 2].map((data) => ({ data, channel: 'HySAS.Worker.Demo.DemoName.Pub' })),
  )
  expect(demo.logs.map(({ msg, fields }) => ({ msg, data: fields.data }))).toEqual(
    [0, 1, 2].map((data) => ({ msg: 'heard', data })),
  )
  await demo.stop()
})

test('refuses a pace that is none', async () => {
  await expect(createHarness(Demo, { params: { everyMs: 0 } }).start()).rejects.toMatchObject({ code: 'BAD_PARAMS' })
})
