import { connect, Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createClient, type LogLine } from '../../src/client.js'
import { createLogKeeper } from '../../src/node/logs.js'
import { namesOf } from '../../src/redis/names.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis, redisUrl } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { startTestWeb, TOKEN, workerView } from './fixture.js'

const names = namesOf(namespace())
const redis = connectRedis()
const client = await createClient({ redisUrl: redisUrl(), namespace: names.namespace })
const keeper = createLogKeeper({
  ...{ dir: join(temporaryFolder(), 'logs'), redis, names },
  log: { warn() {} },
})
const view = { show: async () => workerView(), list: async () => [workerView()], flows: async () => [] }
const { web } = await startTestWeb({
  client: { ...client, ...view, logs: async () => [] },
  settings: { namespace: names.namespace },
})
const sockets = new Set<Socket>()
afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  await keeper.close()
  await client.close()
})

/** A reader that takes nothing from its socket until it is let. */
async function slowReader(path: string) {
  const socket = connect(web.port, '127.0.0.1')
  sockets.add(socket)
  let text = ''
  socket.on('error', () => {})
  socket.write(`GET /api/v1${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`)
  await new Promise<void>((resolve) => {
    socket.once('data', (head: Buffer) => {
      text += head.toString('latin1')
      socket.pause()
      resolve()
    })
  })
  socket.on('data', (more: Buffer) => {
    text += more.toString('latin1')
  })
  socket.pause()
  /** What has come so far, chunk by chunk of HTTP. */
  const frames = (): { name: string; data: unknown }[] =>
    text
      .replaceAll(/\r\n[0-9a-f]+\r\n/g, '')
      .split('\n\n')
      .flatMap((part) => {
        const [, name = '', data = ''] = /event: (\w+)\ndata: (.*)$/s.exec(part) ?? []
        try {
          return name ? [{ name, data: JSON.parse(data) as unknown }] : []
        } catch {
          return [] // the last one is not whole yet
        }
      })
  return { socket, frames }
}

const write = (from: number, to: number, fill = '') => {
  for (let n = from; n < to; n++)
    keeper.line({ type: 'Demo', nickname: 'DemoName' }, 'log', JSON.stringify({ level: 30, msg: `${n} ${fill}` }))
}

it('a page that reads gets all lines of a burst of 20,000, in order', async () => {
  const { socket, frames } = await slowReader('/workers/DemoName/logs/stream')
  socket.resume()
  write(0, 1)
  await keeper.flush()
  write(1, 20_000, 'as long as lines of a log are, about, as they are written here')
  const lines = () => frames().flatMap(({ name, data }) => (name === 'lines' ? (data as LogLine[]) : []))
  await until(() => lines().at(-1)?.msg.startsWith('19999 '), { timeoutMs: 20_000, everyMs: 200 })
  expect(lines().map(({ msg }) => Number.parseInt(msg, 10))).toEqual(Array.from({ length: 20_000 }, (_, n) => n))
  expect(frames().filter(({ name }) => name === 'dropped')).toEqual([])
  socket.destroy()
  await redis.del(names.log('DemoName'))
}, 30_000)

/** Bytes that the server has for a reader, beyond what the system has taken from it. */
function waitingFor(reader: Socket): number {
  const handles = (process as unknown as { _getActiveHandles(): unknown[] })._getActiveHandles()
  const served = handles.find((one) => one instanceof Socket && one.remotePort === reader.localPort)
  return served instanceof Socket ? served.writableLength : 0
}

describe('a page that reads too slowly', () => {
  it('is told in the stream how many lines of a log are missing, at the place where they are', async () => {
    const { socket, frames } = await slowReader('/workers/DemoName/logs/stream')
    write(0, 1)
    await keeper.flush()
    const total = 60_000
    for (let n = 1; n < total; n += 1500) {
      write(n, Math.min(total, n + 1500), 'x'.repeat(1000))
      await keeper.flush()
    }
    socket.resume()
    const seen = () => {
      let next = 0
      let dropped = 0
      for (const { name, data } of frames()) {
        if (name === 'dropped') {
          dropped += (data as { dropped: number }).dropped
          next += (data as { dropped: number }).dropped
        }
        if (name !== 'lines') continue
        for (const { msg } of data as LogLine[]) {
          expect(Number(msg.split(' ')[0])).toBe(next)
          next++
        }
      }
      return { next, dropped }
    }
    await until(() => seen().next === total, { timeoutMs: 20_000, everyMs: 500, what: 'the last line' })
    expect(seen().dropped).toBeGreaterThan(0)
    socket.destroy()
  }, 40_000)

  it('is told in the stream how many messages of a channel are missing', async () => {
    const channel = names.pub('Demo', 'DemoName')
    const { socket, frames } = await slowReader(`/tap?channel=${channel}`)
    await until(async () => Number((await redis.pubsub('NUMSUB', channel))[1]) === 1)
    const text = '\u0001'.repeat(2000)
    let sent = 0
    /** A frame of the tap holds ten of them, four times a second: in the end more than the system keeps for a socket. */
    const publish = async () => {
      for (let n = 0; n < 10; n++) await redis.publish(channel, text)
      sent += 10
    }
    const publishUntil = (isEnough: () => boolean) =>
      until(() => publish().then(isEnough), { timeoutMs: 40_000, everyMs: 50 })
    await publishUntil(() => waitingFor(socket) > 200_000)
    const before = sent
    await publishUntil(() => sent > before + 200)
    socket.resume()
    const counted = (name: string, key: string) =>
      frames()
        .filter((frame) => frame.name === name)
        .reduce((sum, { data }) => sum + ((data as Record<string, number>)[key] ?? 0), 0)
    await until(() => counted('messages', 'seen') + counted('dropped', 'dropped') === sent)
    expect(counted('dropped', 'dropped')).toBeGreaterThan(0)
    socket.destroy()
  }, 60_000)
})
