import { describe, expect, test } from 'vitest'
import { parseSshd } from '../../../processors/lib/sshd-message.js'
import { SshdReader } from '../../../processors/lib/sshd-reader.js'
import { parseTime } from '../../../processors/lib/sshd-time.js'
import { parseSyslog } from '../../../processors/lib/syslog-line.js'

describe('the header of a line', () => {
  const wanted = { host: 'gate', program: 'sshd', pid: '42', message: 'Failed password' }

  test.each([
    ['Dec  1 06:55:46 gate sshd[42]: Failed password', 'Dec  1 06:55:46'],
    ['<38>Dec 10 06:55:46 gate sshd[42]: Failed password', 'Dec 10 06:55:46'],
    ['2026-11-22T06:55:46.123456+01:00 gate sshd[42]: Failed password', '2026-11-22T06:55:46.123456+01:00'],
    ['<38>1 2026-11-22T06:55:46Z gate sshd 42 - - Failed password', '2026-11-22T06:55:46Z'],
    ['<38>1 2026-11-22T06:55:46Z gate sshd 42 - [a@1 b="c"] Failed password', '2026-11-22T06:55:46Z'],
    ['Dec 10 06:55:46 gate /usr/sbin/sshd[42]: Failed password', 'Dec 10 06:55:46'],
    ['Dec 10 06:55:46 gate auth.info sshd[42]: Failed password', 'Dec 10 06:55:46'],
  ])('%s', (line, time) => {
    expect(parseSyslog(line)).toEqual({ ...wanted, time })
  })

  test('a line without one is all message', () => {
    expect(parseSyslog('Failed password')).toEqual({
      ...{ time: '', host: '', program: '', pid: '', message: 'Failed password' },
    })
  })
})

describe('what sshd says', () => {
  test.each([
    ['Failed password for root from 192.0.2.1 port 22 ssh2', 'failure', 'root', false, 1],
    ['Failed password for invalid user ftp from 192.0.2.1 port 22 ssh2', 'failure', 'ftp', true, 1],
    ['Failed password for invalid user  0101 from 192.0.2.1 port 22 ssh2', 'failure', ' 0101', true, 1],
    ['Failed keyboard-interactive/pam for root from 192.0.2.1 port 22 ssh2', 'failure', 'root', false, 1],
    ['Accepted password for root from 192.0.2.1 port 22 ssh2', 'accepted', 'root', false, 1],
    ['Accepted publickey for ops from 192.0.2.1 port 22 ssh2: ED25519 SHA256:abc', 'accepted', 'ops', false, 1],
    ['Connection closed by authenticating user root 192.0.2.1 port 22 [preauth]', 'closed', 'root', false, 1],
    ['Connection reset by invalid user a b 192.0.2.1 port 22 [preauth]', 'closed', 'a b', true, 1],
    ['Disconnected from authenticating user root 192.0.2.1 port 22 [preauth]', 'closed', 'root', false, 1],
    [
      'error: maximum authentication attempts exceeded for root from 192.0.2.1 port 22 ssh2 [preauth]',
      ...(['closed', 'root', false, 1] as const),
    ],
    [
      'reverse mapping checking getaddrinfo for a.example [192.0.2.1] failed - POSSIBLE BREAK-IN ATTEMPT!',
      ...(['suspicion', '', false, 1] as const),
    ],
    [
      'message repeated 5 times: [ Failed password for root from 192.0.2.1 port 22 ssh2]',
      ...(['failure', 'root', false, 5] as const),
    ],
  ])('%s', (message, kind, user, unknownUser, times) => {
    expect(parseSshd(message)).toMatchObject({ kind, user, unknownUser, times, source: '192.0.2.1' })
  })

  test.each([
    'Invalid user ftp from 192.0.2.1 port 22',
    'pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root',
    'PAM 5 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root',
    'Failed none for invalid user ftp from 192.0.2.1 port 22 ssh2',
    'Failed publickey for root from 192.0.2.1 port 22 ssh2: ED25519 SHA256:abc',
    'Connection closed by 192.0.2.1 port 22 [preauth]',
    'Received disconnect from 192.0.2.1: 11: Bye Bye [preauth]',
  ])('tells nothing, or nothing new: %s', (message) => {
    expect(parseSshd(message)).toBeUndefined()
  })

  test('a user name that looks like an address accuses nobody else', () => {
    const name = 'root from 198.51.100.9 port 1 ssh2'
    const message = `Failed password for invalid user ${name} from 192.0.2.1 port 22 ssh2`
    expect(parseSshd(message)).toMatchObject({ source: '192.0.2.1', user: name })
  })

  test('an IPv4 address written as IPv6 is the same address', () => {
    const message = 'Failed password for root from ::FFFF:192.0.2.1 port 22 ssh2'
    expect(parseSshd(message)).toMatchObject({ source: '192.0.2.1' })
  })

  test('"last message repeated" counts what the same host said last', () => {
    const reader = new SshdReader('log')
    const read = (line: string) => reader.read(line, Date.now())?.message.times
    expect(read('Dec 10 06:55:46 gate sshd[1]: Failed password for root from 192.0.2.1 port 22 ssh2')).toBe(1)
    expect(read('Dec 10 06:55:47 other cron[1]: something')).toBeUndefined()
    expect(read('Dec 10 06:55:48 gate last message repeated 3 times')).toBe(3)
    expect(read('Dec 10 06:55:49 gate cron[1]: something')).toBeUndefined()
    expect(read('Dec 10 06:55:50 gate last message repeated 3 times')).toBeUndefined()
  })

  test('other programs are not believed', () => {
    const line = 'Dec 10 06:55:46 gate su[1]: Failed password for root from 192.0.2.1 port 22 ssh2'
    expect(new SshdReader('log').read(line, Date.now())).toBeUndefined()
  })
})

describe('times without a year', () => {
  const at = (text: string) => new Date(text).getTime()

  test('are of this year, or of the last one where they would lie in the future', () => {
    expect(parseTime('Jun  5 12:00:00', at('2026-06-05T12:00:10'), undefined)).toBe(at('2026-06-05T12:00:00'))
    expect(parseTime('Dec 10 12:00:00', at('2026-06-05T12:00:00'), undefined)).toBe(at('2025-12-10T12:00:00'))
  })

  test('go over New Year, also with clocks that differ', () => {
    expect(parseTime('Dec 31 23:59:59', at('2027-01-01T00:00:01'), undefined)).toBe(at('2026-12-31T23:59:59'))
    expect(parseTime('Jan  1 00:00:01', at('2026-12-31T23:59:59'), undefined)).toBe(at('2027-01-01T00:00:01'))
  })

  test('go over New Year in a log that is replayed in summer', () => {
    const now = at('2026-07-01T00:00:00')
    const before = parseTime('Dec 31 23:59:59', now, undefined)
    expect(before).toBe(at('2025-12-31T23:59:59'))
    expect(parseTime('Jan  1 00:00:01', now, before)).toBe(at('2026-01-01T00:00:01'))
  })

  test('know the leap day', () => {
    expect(parseTime('Feb 29 12:00:00', at('2026-06-05T12:00:00'), undefined)).toBe(at('2024-02-29T12:00:00'))
  })

  test('a clock that runs ahead is brought back to within five minutes', () => {
    const now = at('2026-06-05T12:00:00Z')
    expect(parseTime('2030-01-01T00:00:00Z', now, undefined)).toBe(now + 300_000)
  })
})
