import { expect, it } from 'vitest'
import { table } from '../../src/cli/table.js'
import { fakeCli } from './fake-cli.js'

const columns = [
  { head: 'NAME', cell: (row: readonly string[]) => row[0] ?? '', paint: (text: string) => `\x1b[1m${text}\x1b[22m` },
  { head: 'N', cell: (row: readonly string[]) => row[1] ?? '', right: true },
  { head: 'NOTE', cell: (row: readonly string[]) => row[2] ?? '' },
]

it('a table stands in columns, numbers to the right, nothing behind the last', () => {
  const rows = [
    ['a', '1', 'x'],
    ['longer', '1000', ''],
  ]
  expect(table(fakeCli().cli, columns, rows)).toBe(['NAME       N  NOTE', 'a          1  x', 'longer  1000'].join('\n'))
})

it('a table counts characters of two columns as two, and marks and colours as none', () => {
  const rows = [
    ['日本', '1', 'x'],
    ['e\u0301', '2', 'y'],
    ['abcd', '3', 'z'],
  ]
  const plain = table(fakeCli().cli, columns, rows).split('\n')
  expect(plain.slice(1)).toEqual(['日本  1  x', 'e\u0301     2  y', 'abcd  3  z'])
  const painted = table(fakeCli([], { isTTY: true, columns: 80 }).cli, columns, rows)
  expect(painted).toContain('\x1b[1me\u0301\x1b[22m     2  y')
})

it('a table cuts wide characters to the width of a terminal as well', () => {
  const terminal = fakeCli([], { isTTY: true, columns: 30, env: { NO_COLOR: '1' } }).cli
  const [, line = ''] = table(terminal, columns, [['a', '1', '日'.repeat(40)]]).split('\n')
  expect(line.endsWith('…')).toBe(true)
  expect(line.match(/日/g)).toHaveLength(10)
})
