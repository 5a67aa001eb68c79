import { readFileSync } from 'node:fs'
import { createHarness, type Harness, type ParamsOf } from 'hysas/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { alertsOf, minuteOf, minutesWithAlerts } from '../../processors/lib/alert-counters.js'
import type { SshAlert } from '../../processors/lib/ssh-alert.js'
import SshGuard from '../../processors/SshGuard.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis } from '../helpers/redis.js'

const SAMPLE = readFileSync(new URL('./fixtures/sshd.log', import.meta.url), 'utf8')
  .trim()
  .split('\n')

const guards: Harness[] = []
afterEach(async () => {
  for (const guard of guards.splice(0)) await guard.stop()
})

async function startGuard(params: ParamsOf<typeof SshGuard> = {}, space = namespace()): Promise<Harness> {
  const guard = createHarness(SshGuard, { type: 'SshGuard', namespace: space, params, redis: connectRedis() })
  guards.push(guard)
  await guard.start()
  return guard
}

async function feed(guard: Harness, lines: readonly string[]): Promise<void> {
  for (const line of lines) await guard.send({ line, file: '/var/log/auth.log', at: 0 })
}

const alertsFrom = (guard: Harness) => guard.published.map(({ data }) => data as SshAlert)
const eventsOf = (guard: Harness, kind: string) => guard.events.filter((event) => event.kind === kind)

/** A wrong password at so many seconds after midnight. */
function wrong(second: number, { source = '192.0.2.1', user = 'root', pid = second } = {}): string {
  return `${clock(second)} gate-1 sshd[${pid}]: Failed password for ${user} from ${source} port 22 ssh2`
}
const clock = (second: number) => `Nov 20 ${new Date(second * 1000).toISOString().slice(11, 19)}`

describe('an alert', () => {
  test('comes for each guessing address of a log, and for the login that guessing led to', async () => {
    const guard = await startGuard()
    await feed(guard, SAMPLE)
    expect(alertsFrom(guard).map(({ rule, source, failures, severity }) => [rule, source, failures, severity])).toEqual(
      [
        ['password-guessing', '198.51.100.7', 5, 'error'],
        ['password-guessing', '203.0.113.90', 6, 'warning'],
        ['login-after-guessing', '203.0.113.90', 6, 'critical'],
        ['password-guessing', '198.51.100.7', 5, 'warning'],
      ],
    )
  })

  test('goes into the event store as well, with whom, how often, when', async () => {
    const guard = await startGuard()
    await feed(guard, SAMPLE.slice(0, 15))
    const year = new Date(Date.parse(eventsOf(guard, 'alert')[0]?.key?.slice(-24) ?? '')).getFullYear()
    const at = (time: string) => new Date(`${year}-11-20T${time}`).toISOString()
    expect(eventsOf(guard, 'alert')).toEqual([
      {
        kind: 'alert',
        source: '198.51.100.7',
        severity: 'error',
        message: 'Password guessing from 198.51.100.7: 5 wrong passwords for "oracle", "root" in 23 s',
        key: `guess:198.51.100.7:${at('23:58:01')}`,
        data: {
          rule: 'password-guessing',
          failures: 5,
          users: [
            { user: 'root', failures: 4 },
            { user: 'oracle', failures: 1 },
          ],
          unknownUsers: 1,
          hosts: ['gate-1'],
          suspicious: true,
          firstSeen: at('23:58:01'),
          lastSeen: at('23:58:24'),
        },
      },
    ])
  })

  test('a repeated line counts as often as it says', async () => {
    const guard = await startGuard({ threshold: 6 })
    await feed(guard, [
      'Nov 20 10:00:00 gate-1 sshd[1]: message repeated 5 times: [ Failed password for root from 192.0.2.1 port 22 ssh2]',
    ])
    expect(alertsFrom(guard)).toEqual([])
    await feed(guard, [wrong(36_001)])
    expect(alertsFrom(guard)).toMatchObject([{ failures: 6 }])
  })

  test('bare lines from any channel do as well', async () => {
    const guard = await startGuard({ source: 'channel:sshd.lines', threshold: 1 })
    await guard.send('Failed password for root from 192.0.2.1 port 22 ssh2', { channel: 'sshd.lines' })
    expect(alertsFrom(guard)).toMatchObject([{ source: '192.0.2.1' }])
  })

  test('failures that are spread wider than the window are none', async () => {
    const guard = await startGuard({ threshold: 3, windowSeconds: 60 })
    await feed(guard, [wrong(0), wrong(40), wrong(80), wrong(120), wrong(160)])
    expect(alertsFrom(guard)).toEqual([])
  })

  test('lines that come out of order count where they belong', async () => {
    const guard = await startGuard({ threshold: 3, windowSeconds: 60 })
    await feed(guard, [wrong(100), wrong(0), wrong(140), wrong(120)])
    expect(alertsFrom(guard)).toMatchObject([{ failures: 4 }])
  })

  test('on hosts that take keys only, closed connections are what is counted, each once', async () => {
    const guard = await startGuard({ threshold: 3 })
    const closed = (pid: number) =>
      `Nov 20 00:00:01 gate-1 sshd[${pid}]: Connection closed by authenticating user root 192.0.2.1 port 22 [preauth]`
    await feed(guard, [wrong(0, { pid: 1 }), closed(1), closed(2)])
    expect(alertsFrom(guard)).toEqual([])
    await feed(guard, [closed(3)])
    expect(alertsFrom(guard)).toMatchObject([{ failures: 3 }])
  })

  test('the end of a connection that is told by two lines counts once', async () => {
    const guard = await startGuard({ threshold: 3 })
    const ended = (pid: number, time = '00:00:01') => [
      `Nov 20 ${time} gate-1 sshd[${pid}]: error: maximum authentication attempts exceeded for root from 192.0.2.1 port 22 ssh2 [preauth]`,
      `Nov 20 ${time} gate-1 sshd[${pid}]: Disconnecting authenticating user root 192.0.2.1 port 22: Too many authentication failures [preauth]`,
    ]
    await feed(guard, [...ended(1), ...ended(2)])
    expect(alertsFrom(guard)).toEqual([])
    await feed(guard, ended(3))
    expect(alertsFrom(guard)).toMatchObject([{ failures: 3 }])
    const later = await startGuard({ threshold: 2, windowSeconds: 3600, quietSeconds: 7200 })
    await feed(later, [...ended(1), ...ended(1, '00:20:00')]) // another connection, whose process has the same id
    expect(alertsFrom(later)).toMatchObject([{ failures: 2 }])
  })

  test('with timeFrom arrival the time of the line does not count', async () => {
    const guard = await startGuard({ threshold: 3, windowSeconds: 60, timeFrom: 'arrival' })
    await feed(guard, [wrong(0), wrong(10_000), wrong(20_000)])
    expect(alertsFrom(guard)).toHaveLength(1)
  })
})

describe('a burst', () => {
  const burst = (from: number, count: number) => Array.from({ length: count }, (_, n) => wrong(from + n * 5))

  test('raises one alert however long it goes on', async () => {
    const guard = await startGuard()
    await feed(guard, burst(0, 300))
    expect(alertsFrom(guard)).toHaveLength(1)
    expect(eventsOf(guard, 'alert')).toHaveLength(1)
  })

  test('is over after silence: its sum is recorded, and the next one raises a new alert', async () => {
    const guard = await startGuard({ quietSeconds: 300 })
    await feed(guard, [...burst(0, 20), ...burst(96 + 300, 5)])
    expect(alertsFrom(guard)).toHaveLength(2)
    expect(new Set(alertsFrom(guard).map(({ key }) => key)).size).toBe(2)
    expect(eventsOf(guard, 'burst')).toMatchObject([{ source: '192.0.2.1', data: { failures: 20 } }])
  })

  test('goes on over a restart without a second alert', async () => {
    const space = namespace()
    const first = await startGuard({}, space)
    await feed(first, burst(0, 10))
    await first.stop()
    const second = await startGuard({}, space)
    await feed(second, burst(50, 10))
    expect(alertsFrom(second)).toEqual([])
    expect(await second.operation('top')).toMatchObject([{ source: '192.0.2.1', failures: 20, alerts: 1 }])
  })

  test('one login after guessing is told once, and a login without guessing never', async () => {
    const login = (second: number, source: string) =>
      `${clock(second)} gate-1 sshd[9]: Accepted password for root from ${source} port 22 ssh2`
    const guard = await startGuard()
    await feed(guard, [...burst(0, 6), login(40, '192.0.2.1'), login(41, '192.0.2.1'), login(42, '192.0.2.2')])
    const rules = alertsFrom(guard).map(({ rule }) => rule)
    expect(rules).toEqual(['password-guessing', 'login-after-guessing'])
  })
})

describe('memory and operations', () => {
  test('no more addresses are kept than it was told, and the worst are named first', async () => {
    const guard = await startGuard({ maxAddresses: 10, threshold: 100 })
    for (let n = 0; n < 30; n++) await feed(guard, [wrong(n, { source: `203.0.113.${n}` })])
    await feed(guard, [wrong(31, { source: '203.0.113.29' })])
    const top = (await guard.operation('top', { limit: 50 })) as { source: string; failures: number }[]
    expect(top).toHaveLength(10)
    expect(top[0]).toMatchObject({ source: '203.0.113.29', failures: 2 })
  })

  test('a forgotten address raises an alert again', async () => {
    const guard = await startGuard({ threshold: 2 })
    await feed(guard, [wrong(0), wrong(1)])
    expect(await guard.operation('forget', { address: '192.0.2.1' })).toEqual({ forgotten: true })
    expect(await guard.operation('forget', { address: '192.0.2.1' })).toEqual({ forgotten: false })
    await feed(guard, [wrong(2), wrong(3)])
    expect(alertsFrom(guard)).toHaveLength(2)
  })

  test('names that an attacker has chosen do no harm', async () => {
    const guard = await startGuard({ threshold: 3 })
    await feed(
      guard,
      ['__proto__', 'constructor', 'x'.repeat(5000)].map((user, n) => wrong(n, { user })),
    )
    const users = alertsFrom(guard)[0]?.users.map(({ user }) => user)
    expect(users).toEqual(['__proto__', 'constructor', 'x'.repeat(64)])
  })

  test('each alert is counted in its minute, for whoever asks', async () => {
    const guard = await startGuard({ threshold: 1 })
    const before = minuteOf(Date.now())
    await feed(guard, [wrong(0), wrong(1, { source: '192.0.2.2' })])
    const minutes = await minutesWithAlerts(guard.ctx, before - 1, Number.MAX_SAFE_INTEGER)
    const counts = await Promise.all(minutes.map((minute) => alertsOf(guard.ctx, minute)))
    expect(
      counts
        .flat()
        .map(({ source }) => source)
        .sort(),
    ).toEqual(['192.0.2.1', '192.0.2.2'])
  })
})
