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
  for (const bad of ['yesterday', '2026-99-99', '', '1']) expect(() => instant(bad)).toThrow()
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
