import { describe, expect, test } from 'vitest'
import { type MappedEvent, mapRow } from '../../../processors/lib/process-mapping.js'

const map = (row: Record<string, unknown>) => mapRow(row) as MappedEvent

describe('the reference mapping', () => {
  test('takes columns by their usual names, the others become data', () => {
    const row = { id: 7, created_at: new Date(5000), event_type: 'scan', level: 'WARN', src_ip: '192.0.2.1', port: 22 }
    expect(map({ ...row, msg: 'hello' })).toEqual({
      ...{ time: 5000, kind: 'scan', severity: 'warning', source: '192.0.2.1', message: 'hello', data: { port: 22 } },
    })
  })

  test('opens a JSON payload, given as text or as an object', () => {
    for (const payload of ['{"kind":"scan","port":22}', { kind: 'scan', port: 22 }]) {
      expect(map({ id: 1, time: 1, payload })).toMatchObject({ kind: 'scan', data: { port: 22 } })
    }
  })

  test('keeps a payload that is no JSON as it is', () => {
    expect(map({ id: 1, payload: 'plain' })).toMatchObject({ data: { payload: 'plain' } })
  })

  test.each([
    [1_700_000_000, 1_700_000_000_000],
    [1_700_000_000_000, 1_700_000_000_000],
    ['1700000000.5', 1_700_000_000_500],
    ['2026-11-22T00:00:00Z', Date.UTC(2026, 10, 22)],
  ])('reads the time %s', (time, ms) => {
    expect(map({ id: 1, time })).toMatchObject({ time: ms })
  })

  test('takes a row without time as of now', () => {
    expect(map({ id: 1 }).time).toBeCloseTo(Date.now(), -4)
    // what mysql2 makes of 0000-00-00
    expect(map({ id: 1, created_at: new Date(Number.NaN) }).time).toBeCloseTo(Date.now(), -4)
    expect(map({ id: 1, created_at: '0000-00-00 00:00:00' }).time).toBeCloseTo(Date.now(), -4)
  })

  test.each([
    [2, 'critical'],
    [3, 'error'],
    ['4', 'warning'],
    [6, 'info'],
    ['fatal', 'critical'],
    ['nonsense', 'info'],
  ])('reads the severity %s', (severity, word) => {
    expect(map({ id: 1, severity })).toMatchObject({ severity: word })
  })
})
