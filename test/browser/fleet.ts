import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import type { WorkerView } from '../../src/client.js'
import { type FakeFleet, nodeView, storedEvent, typeView, workerView } from '../web/fixture.js'

const PICTURES = join(import.meta.dirname, '../../test-results')

/** A page, and what went wrong in it: errors of its console, refused content, requests to other hosts. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  context.setDefaultTimeout(8000)
  const page = await context.newPage()
  const wrong: string[] = []
  const own = new URL(url).host
  page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()))
  page.on('pageerror', (error) => wrong.push(String(error)))
  page.on('request', (request) => {
    const { host, protocol } = new URL(request.url())
    if (protocol.startsWith('http') && host !== own) wrong.push(`asked ${host}`)
  })
  await page.goto(url)
  return { page, wrong, close: () => context.close() }
}

export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(PICTURES, { recursive: true })
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true })
}

/** A fleet as an operator may find it: mostly well, some not. */
export function fillFleet(fake: FakeFleet): void {
  const now = Date.now() / 1000
  const worker = (change: Partial<WorkerView> & { nickname: string }) =>
    fake.workers.set(
      change.nickname,
      workerView({ heart_beat: now, started_at: now - 5000, since: now - 6000, ...change }),
    )
  fake.workers.clear()
  worker({
    type: 'Monitor',
    nickname: 'Monitor',
    system: true,
    kind: 'repeatable',
    published: 0,
    received: 0,
    ticks: 812,
  })
  worker({ nickname: 'DemoName', published: 5120, received: 5119, follower: ['DemoName', 'counter'] })
  worker({
    type: 'FollowLog',
    nickname: 'auth-log',
    published: 1_204_332,
    received: 0,
    follower: ['gate-1'],
    memory_mb: 61,
  })
  worker({
    ...{ type: 'SshGuard', nickname: 'gate-1', published: 31, received: 1_204_330, restarts: 2, memory_mb: 74 },
    data_feeder: ['TestWeb.Worker.FollowLog.auth-log.Pub'],
    follower: ['counter'],
    params: { file: '/var/log/auth.log', tries: 5, windowSeconds: 60 },
  })
  worker({
    ...{
      type: 'SshGuard',
      nickname: 'gate-2',
      status: 'restarting',
      restarts: 14,
      next_start_at: now + 21,
      node: 'node-2',
    },
    error_msg:
      "Error: ENOENT: no such file or directory, open '/var/log/secure'\n    at open (node:fs:603:3)\n    at follow (SshGuard.ts:41:9)",
  })
  worker({
    type: 'AlertCount',
    nickname: 'counter',
    status: 'disappeared',
    age: 34,
    heart_beat: now - 34,
    node: 'node-2',
  })
  worker({
    nickname: 'old-demo',
    status: 'terminated',
    wanted: false,
    stop_info: 'stopped by cli:root@alpha',
    memory_mb: null,
  })
  worker({
    ...{ type: 'Archive', nickname: 'archive', published: 0, received: 1_190_000, memory_mb: 52 },
    data_feeder: ['TestWeb.Worker.FollowLog.auth-log.Pub'],
  })
  worker({
    ...{ type: 'Beacon', nickname: 'beacon', published: 12, received: 0, node: 'node-2' },
    published_to: { beacons: 12 },
  })
  worker({
    ...{ type: 'Legacy', nickname: 'old-sensor', foreign: true, wanted: false, node: '', kind: '', isolation: '' },
    ...{ started_at: null, published: 0, received: 0 },
  })
  fake.gone = []
  fake.lines = []
  const flow = (from: string, to: string, channel: string, published: number, lost = 0) => ({
    ...{ from, to, channel, by: channel === from ? [] : [from], published, lost },
  })
  const pub = (type: string, nickname: string) => `TestWeb.Worker.${type}.${nickname}.Pub`
  fake.flows = [
    flow('DemoName', 'DemoName', pub('Demo', 'DemoName'), 5120),
    flow('DemoName', 'counter', pub('Demo', 'DemoName'), 5120),
    flow('auth-log', 'gate-1', pub('FollowLog', 'auth-log'), 1_204_332),
    flow('auth-log', 'gate-2', pub('FollowLog', 'auth-log'), 1_204_332),
    flow('auth-log', 'archive', pub('FollowLog', 'auth-log'), 1_204_332, 214),
    flow('gate-1', 'counter', pub('SshGuard', 'gate-1'), 31),
    flow('threat-feed', 'gate-1', 'threat-feed', 12),
  ]
  fake.nodes = [
    nodeView({ workers: 4, started_at: now - 90_000 }),
    nodeView({
      name: 'node-2',
      host: 'beta',
      workers: 2,
      pid: 911,
      started_at: now - 4000,
      memory_mb: 88,
      loop_delay_ms: 2.4,
    }),
  ]
  fake.types = [
    typeView(),
    typeView({
      ...{
        type: 'SshGuard',
        builtin: false,
        description: 'Reads lines of sshd and raises an alert on password guessing.',
      },
      params: {
        type: 'object',
        required: ['file'],
        properties: {
          file: { type: 'string', description: 'The log to read' },
          tries: { type: 'integer', exclusiveMinimum: 0, default: 5, description: 'Wrong passwords before an alert' },
          level: { enum: ['low', 'high'], default: 'low' },
          quiet: { type: 'boolean', default: false, description: 'Record alerts, publish none' },
          ignore: { type: 'array', items: { type: 'string' }, default: [] },
          weights: { type: 'object', additionalProperties: { type: 'number' }, description: 'Of each user' },
        },
      },
    }),
    typeView({ type: 'FollowLog', description: 'Publishes each line that is added to a file.', builtin: false }),
    typeView({ type: 'Broken', builtin: false, error: 'Broken.ts:3:14: Expected ";" but found "is"', version: '' }),
  ]
  const event = (ago: number, change: Parameters<typeof storedEvent>[0]) =>
    storedEvent({ id: `${Math.round((now - ago) * 1000)}-0`, time: (now - ago) * 1000, source: '', ...change })
  const life = [9000, 7000, 6100, 5000].flatMap((ago, i) => [
    event(ago, {
      ...{ kind: 'started', severity: 'info', nickname: 'gate-1', epoch: 1_790_000_000_000 + i },
      ...{ node: i % 2 ? 'node-2' : 'node-1', message: `started on node-${i % 2 ? 2 : 1}` },
    }),
    event(ago - (i === 1 ? 400 : 800), {
      ...{ kind: i === 2 ? 'stopped' : 'crashed', severity: i === 2 ? 'info' : 'error', nickname: 'gate-1' },
      ...{
        node: i % 2 ? 'node-2' : 'node-1',
        message: i === 2 ? 'restarted' : "Cannot read 'ip'; restarts in 1000 ms",
      },
      data:
        i === 2
          ? null
          : {
              stack: "TypeError: Cannot read properties of undefined (reading 'ip')\n    at parse (SshGuard.ts:88:21)",
            },
    }),
  ])
  life.push(event(3600, { kind: 'started', severity: 'info', nickname: 'gate-1', message: 'started on node-1' }))
  const alerts = Array.from({ length: 90 }, (_, i) =>
    event(400 + i * i * 10, {
      source: `203.0.113.${i}`,
      message: `${5 + (i % 7)} wrong passwords within 60 s for root`,
    }),
  )
  fake.events = [
    event(12, { source: '203.0.113.9', message: '9 wrong passwords within 60 s for root' }),
    event(34, { kind: 'disappeared', severity: 'error', nickname: 'counter', message: 'No heartbeat since 34 s' }),
    event(58, {
      kind: 'crashed',
      severity: 'error',
      nickname: 'gate-2',
      message: "ENOENT: no such file, open '/var/log/secure'",
    }),
    event(300, {
      kind: 'started',
      severity: 'info',
      nickname: 'gate-1',
      message: 'Runs on node-1 (epoch 1790000000000)',
    }),
    event(301, { kind: 'command', severity: 'info', nickname: 'gate-1', message: 'start', source: 'cli:root@alpha' }),
    event(90_000, { source: '198.51.100.23', message: '41 wrong passwords within 60 s for admin, oracle, test' }),
    ...life,
    ...alerts,
  ].sort((a, b) => b.time - a.time)
}

/** Beats as living workers give them, until it is stopped. */
export function beatOn(fake: FakeFleet): { stop(): void } {
  const timer = setInterval(() => {
    for (const worker of fake.workers.values()) {
      if (worker.status !== 'started') continue
      worker.heart_beat = Date.now() / 1000
      const speed = worker.nickname === 'auth-log' ? 800 + Math.random() * 900 : worker.type === 'Demo' ? 1 : 0
      worker.published += Math.round(speed * 0.5)
      if (worker.nickname === 'gate-1' || worker.nickname === 'archive')
        worker.received = fake.workers.get('auth-log')?.published ?? 0
      worker.memory_mb = (worker.memory_mb ?? 48) + Math.sin(Date.now() / 3000) * 0.4
      fake.tell('beat', { ...worker })
    }
    for (const flow of fake.flows) flow.published = fake.workers.get(flow.from)?.published ?? flow.published
  }, 500)
  return { stop: () => clearInterval(timer) }
}
