import { expect, it } from 'vitest'
import { count, span } from '../../src/cli/format.js'
import { duration, instant, oneOf, seconds, whole } from '../../src/cli/parse.js'

it('reads spans of time', () => {
  expect(['500ms', '30s', '5m', '2h', '1d', '7', '1.5s'].map(duration)).toEqual([
    500, 30_000, 300_000, 7_200_000, 86_400_000, 7000, 1500,
  ])
  for (const bad of ['', 'm', '5 minutes', '-5m', '5w']) expect(() => duration(bad)).toThrow()
})

it('reads points in time as spans before now or as dates', () => {
  expect(Math.abs(instant('5m') - (Date.now() - 300_000))).toBeLessThan(1000)
  expect(instant('2026-11-22T17:30:00Z')).toBe(Date.UTC(2026, 10, 22, 17, 30))
  expect(instant('2026-11-22T17:30+02:00')).toBe(Date.UTC(2026, 10, 22, 15, 30))
  for (const bad of ['yesterday', '2026-99-99', '', '1', '2026', '2026-11-22T', '2026-11-22Tx', '2026-11-22x'])
    expect(() => instant(bad)).toThrow()
})

it('takes dates for local time, as all times are printed, and only those that exist', () => {
  const zone = process.env.TZ
  try {
    for (const there of ['Asia/Shanghai', 'America/New_York', 'UTC']) {
      process.env.TZ = there
      expect(instant('2026-11')).toBe(new Date(2026, 10, 1).getTime())
      expect(instant('2026-11-22')).toBe(new Date(2026, 10, 22).getTime())
      expect(instant(' 2026-11-22 17:30')).toBe(new Date(2026, 10, 22, 17, 30).getTime())
      expect(instant('2026-11-22T17:30:05')).toBe(new Date(2026, 10, 22, 17, 30, 5).getTime())
      expect(instant('2028-02-29')).toBe(new Date(2028, 1, 29).getTime())
      for (const bad of ['2026-02-31', '2026-02-29T10:00', '2026-04-31', '2026-13', '2026-00-10', '2026-11-00'])
        expect(() => instant(bad)).toThrow()
    }
  } finally {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  }
})

it('reads limits, counts and words, and refuses others', () => {
  expect(seconds('2.5')).toBe(2500)
  for (const bad of ['0', '-1', 'x', '', 'Infinity']) expect(() => seconds(bad)).toThrow()
  expect(whole(1, 10)('10')).toBe(10)
  for (const bad of ['0', '11', '1.5', 'x']) expect(() => whole(1, 10)(bad)).toThrow()
  expect(oneOf(['a', 'b'])('a,b', ['b'])).toEqual(['b', 'a', 'b'])
  expect(() => oneOf(['a'])('c')).toThrow()
})

it('writes spans and counts short', () => {
  expect([0.04, 4.26, 42, 600, 11_100, 190_000].map(span)).toEqual([
    '0 s',
    '4.3 s',
    '42 s',
    '10 min',
    '3 h 05 min',
    '2 d 4 h',
  ])
  expect([7, 9999, 12_345, 999_999, 4_500_000, 2e10].map(count)).toEqual([
    '7',
    '9999',
    '12.3k',
    '999k',
    '4.5M',
    '20.0G',
  ])
})
