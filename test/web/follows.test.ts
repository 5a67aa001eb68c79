import { get as httpGet, type IncomingMessage } from 'node:http'
import { afterAll, describe, expect, it } from 'vitest'
import { until } from '../helpers/until.js'
import { bearer, type FakeFleet, startTestWeb, TOKEN, workerView } from './fixture.js'

const PUB = 'TestWeb.Worker.Demo.DemoName.Pub'
const open = new Set<IncomingMessage>()
afterAll(() => {
  for (const response of open) response.destroy()
})

async function follow(port: number, path: string) {
  const response = await new Promise<IncomingMessage>((resolve) => {
    httpGet({ port, path: `/api/v1${path}`, headers: { authorization: `Bearer ${TOKEN}` } }, resolve)
  })
  open.add(response)
  response.on('error', () => {})
  let text = ''
  response.setEncoding('utf8').on('data', (more: string) => {
    text += more
  })
  const frames = <T>(event: string): T[] =>
    text.split('\n\n').flatMap((part) => {
      const [, name, data = ''] = /^event: (\w+)\ndata: (.*)$/s.exec(part) ?? []
      return name === event ? [JSON.parse(data) as T] : []
    })
  return { response, frames }
}

const line = (id: string, msg: string) => ({
  ...({
    id,
    time: 1,
    level: 'info',
    type: 'Demo',
    nickname: 'DemoName',
    epoch: 1,
    msg,
    stream: 'log',
    fields: {},
  } as const),
})

/** Messages of a channel, as the test sends them. */
function channelOf(fake: FakeFleet) {
  const of = {
    begun: 0,
    listening: 0,
    send: (_raw: string) => {},
    miss: (_messages: number | null) => {},
    exactly: [] as unknown[],
  }
  fake.client.tail = async function* (channel, { signal, dropped, exactly }) {
    of.miss = dropped ?? of.miss
    of.exactly.push(exactly)
    of.begun++
    of.listening++
    const waiting: string[] = []
    let wake = () => {}
    of.send = (raw) => {
      waiting.push(raw)
      wake()
    }
    signal.addEventListener('abort', () => wake())
    while (!signal.aborted) {
      for (let raw = waiting.shift(); raw !== undefined; raw = waiting.shift()) yield { channel, raw, time: 1 }
      if (!signal.aborted)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
    of.listening--
  }
  return of
}

describe('the log of a worker', () => {
  it('begins with its last lines and goes on', async () => {
    const { web, fake } = await startTestWeb()
    fake.lines = [line('1-0', 'first')]
    let following = 0
    let tell = (_msg: string) => {}
    fake.client.followLogs = async function* (_nickname, { after, signal }) {
      following++
      expect(after).toMatchObject({ id: '1-0' })
      while (!signal.aborted) {
        const msg = await new Promise<string>((resolve) => {
          tell = resolve
          signal.addEventListener('abort', () => resolve(''))
        })
        for (const word of msg.split(' ').filter(Boolean)) yield line('2-0', word)
      }
      following--
    }
    const { frames, response } = await follow(web.port, '/workers/DemoName/logs/stream')
    await until(() => following === 1)
    tell('second third')
    await until(() => frames('lines').length > 1)
    const words = frames<{ msg: string }[]>('lines').map((lines) => lines.map(({ msg }) => msg).join())
    expect(words).toEqual(['first', 'second,third'])
    response.destroy()
    await until(() => following === 0)
  })

  it('of a level has the lines of that level however far back, and goes on after the last of any', async () => {
    const { web, http, fake } = await startTestWeb()
    const info = Array.from({ length: 400 }, (_, i) => line(`${i + 2}-0`, `info ${i}`))
    fake.lines = [{ ...line('1-0', 'it broke'), level: 'error' }, ...info]
    const asked: Parameters<typeof fake.client.followLogs>[1][] = []
    fake.client.followLogs = async function* (_nickname, of) {
      asked.push(of)
      yield { ...line('999-0', 'again'), level: 'fatal' }
      await new Promise((resolve) => of.signal.addEventListener('abort', resolve))
    }
    const { frames } = await follow(web.port, '/workers/DemoName/logs/stream?level=error')
    await until(() => frames('lines').length > 1)
    expect(frames<{ msg: string }[]>('lines').map((lines) => lines.map(({ msg }) => msg))).toEqual([
      ['it broke'],
      ['again'],
    ])
    expect(asked).toMatchObject([{ level: 'error', after: { id: '401-0' } }])
    const stream = '/api/v1/workers/DemoName/logs/stream'
    expect((await http.get(`${stream}?level=bad`).set(...bearer())).status).toBe(400)
    const { body } = await http.get('/api/v1/openapi.json').set(...bearer())
    const { parameters } = body.paths['/workers/{nickname}/logs/stream'].get
    expect(parameters.map(({ name }: { name: string }) => name)).toEqual(['nickname', 'level'])
  })

  it('of nobody is 404', async () => {
    const { http, fake } = await startTestWeb()
    fake.client.logs = (nickname) => fake.client.show(nickname).then(() => [])
    expect((await http.get('/api/v1/workers/Nobody/logs/stream').set(...bearer())).status).toBe(404)
  })
})

describe('a tap', () => {
  it('shows messages as they come, heard once for all pages and by nobody when none is left', async () => {
    const { web, fake } = await startTestWeb()
    const channel = channelOf(fake)
    const pages = [await follow(web.port, `/tap?channel=${PUB}`), await follow(web.port, `/tap?channel=${PUB}`)]
    await until(() => channel.listening === 1)
    channel.send('{"n":1}')
    for (const { frames } of pages) await until(() => frames<{ seen: number }>('messages').length === 1)
    expect(pages[0]?.frames('messages')).toEqual([
      { messages: [{ time: 1, text: '{"n":1}', bytes: 7 }], seen: 1, resting: false, missed: 0 },
    ])
    expect(channel.begun).toBe(1)
    expect(channel.exactly).toEqual([true]) // a worker may have that nickname
    for (const { response } of pages) response.destroy()
    await until(() => channel.listening === 0)
  })

  it('says in its place what is missing, and that the connection was lost', async () => {
    const { web, fake } = await startTestWeb()
    const channel = channelOf(fake)
    const { frames } = await follow(web.port, `/tap?channel=${PUB}`)
    await until(() => channel.listening === 1)
    const told = (n: number) => until(() => frames('messages').length === n, { what: `${n} frames` })
    channel.send('before')
    await told(1)
    channel.miss(7)
    await told(2)
    channel.miss(null)
    channel.send('after')
    await told(3)
    const all = frames<{ messages: { text: string }[]; missed: number | null }>('messages')
    expect(all.map(({ messages, missed }) => [missed, ...messages.map(({ text }) => text)])).toEqual([
      [0, 'before'],
      [7],
      [null, 'after'],
    ])
  })

  it('of a fast channel is a sample that says so, and cuts what is long', async () => {
    const { web, fake } = await startTestWeb()
    const channel = channelOf(fake)
    const { frames } = await follow(web.port, `/tap?channel=${PUB}`)
    await until(() => channel.listening === 1)
    for (let i = 0; i < 5000; i++) channel.send('x'.repeat(3000))
    await until(() => channel.begun === 2, { what: 'a rest' })
    const [first] = frames<{ messages: { text: string; bytes: number }[]; seen: number; resting: boolean }>('messages')
    expect(first).toMatchObject({ seen: 2000, resting: true })
    expect(first?.messages).toHaveLength(10)
    expect(first?.messages[0]).toMatchObject({ bytes: 3000, text: 'x'.repeat(2000), cut: true })
  })

  it('is for channels of workers only: others carry tokens, or are not ours', async () => {
    const { http, fake } = await startTestWeb()
    for (const channel of [
      'TestWeb',
      'TestWeb.Command',
      'TestWeb:wake',
      'TestWeb.Worker.Demo.DemoName.Info',
      'TestWeb.Worker.Demo.DemoName.Command',
      'Other.Worker.Demo.X.Pub',
      'elsewhere',
    ]) {
      expect(
        (
          await http
            .get('/api/v1/tap')
            .query({ channel })
            .set(...bearer())
        ).status,
        channel,
      ).toBe(403)
    }
    expect((await http.get('/api/v1/tap').set(...bearer())).status).toBe(400)
    channelOf(fake)
    fake.client.flows = async () => [{ from: 'news', to: 'DemoName', channel: 'news', by: [], published: 0, lost: 0 }]
    fake.workers.set('Teller', workerView({ nickname: 'Teller', published_to: { weather: 3, 'TestWeb.Command': 1 } }))
    const { web } = await startTestWeb({ client: fake.client })
    const statuses: Record<string, number | undefined> = {}
    for (const channel of ['news', 'weather', 'TestWeb.Command', 'elsewhere'])
      statuses[channel] = (await follow(web.port, `/tap?channel=${channel}`)).response.statusCode
    expect(statuses).toEqual({ news: 200, weather: 200, 'TestWeb.Command': 403, elsewhere: 403 })
  })

  it('of more channels than a node follows is refused', async () => {
    const { web, fake } = await startTestWeb()
    channelOf(fake)
    const statuses: (number | undefined)[] = []
    for (let i = 0; i < 21; i++)
      statuses.push((await follow(web.port, `/tap?channel=TestWeb.Worker.Demo.N${i}.Pub`)).response.statusCode)
    expect(statuses.slice(0, 20)).toEqual(Array(20).fill(200))
    expect(statuses[20]).toBe(429)
  })
})
