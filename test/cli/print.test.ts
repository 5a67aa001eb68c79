import { describe, expect, it } from 'vitest'
import { clean, cleanLines, jsonText, printError, result } from '../../src/cli/print.js'
import { table } from '../../src/cli/table.js'
import { HysasError } from '../../src/errors.js'
import { fakeCli } from './fake-cli.js'

describe('foreign text on a terminal', () => {
  it('loses escape sequences, line breaks and marks that turn the writing around', () => {
    expect(clean('\x1b[31mred\x1b[0m\x1b]0;title\x07')).toBe('red')
    expect(clean('one\r\ntwo\x08\x9b2J\u202eevil')).toBe('one  two  evil')
    expect(clean('one\ntwo')).toBe('one two')
    expect(clean('日本 – ok')).toBe('日本 – ok')
  })

  it('keeps the lines of a stack', () => {
    expect(cleanLines('Error: a\n    at \x1b[2Jb')).toBe('Error: a\n    at b')
  })

  it('is escaped in JSON and read back unchanged', () => {
    const value = { text: '\x1b[2J\x9b\u202e\u007f' }
    expect(jsonText(value)).toMatch(/^[\x20-\x7e]*$/)
    expect(JSON.parse(jsonText(value))).toEqual(value)
  })

  it('cannot break out of a cell of a table', () => {
    const { cli } = fakeCli()
    const text = table(cli, [{ head: 'A', cell: (row: string) => row }], ['x\ny\x1b[2J'])
    expect(text).toBe('A\nx y')
  })
})

describe('a table', () => {
  const columns = [
    { head: 'NAME', cell: (row: { name: string; note: string }) => row.name },
    { head: 'EMPTY', cell: () => '' },
    { head: 'NOTE', cell: (row: { name: string; note: string }) => row.note },
  ]
  const rows = [{ name: 'a', note: 'x'.repeat(80) }]

  it('cuts its last column to the width of a terminal, and nothing in a pipe', () => {
    const wide = table(fakeCli([], { isTTY: false }).cli, columns, rows)
    expect(wide).toContain('x'.repeat(80))
    const narrow = table(fakeCli([], { isTTY: true, columns: 40, env: { NO_COLOR: '1' } }).cli, columns, rows)
    for (const line of narrow.split('\n')) expect(line.length).toBeLessThanOrEqual(40)
  })

  it('leaves out columns that are empty', () => {
    expect(table(fakeCli().cli, columns, rows)).not.toContain('EMPTY')
  })
})

describe('an error', () => {
  const error = new HysasError('NAME_TAKEN', { nickname: 'x', type: 'Demo', holder: 'runs on n\x1b[2J' })

  it('is printed with its code, its sentence and its remedy', () => {
    const { cli, stderr, stdout } = fakeCli()
    printError(cli, error)
    expect(stderr()).toBe(
      'error NAME_TAKEN: The name x is taken: a Demo of that name runs on n.\n' +
        '  → Choose another nickname, or `hysas stop x` first.\n',
    )
    expect(stdout()).toBe('')
  })

  it('is JSON on standard error with --json', () => {
    const { cli, stderr } = fakeCli(['--json'])
    printError(cli, error)
    expect(JSON.parse(stderr())).toEqual({
      error: { code: 'NAME_TAKEN', message: error.message, remedy: error.remedy },
    })
  })

  it('has colours on a terminal only, and not against NO_COLOR', () => {
    const printed = (given: object) => {
      const { cli, stderr } = fakeCli([], given)
      printError(cli, error)
      return stderr()
    }
    expect(printed({ isTTY: true })).toContain('\x1b[31m')
    expect(printed({ isTTY: true, env: { NO_COLOR: '1' } })).not.toContain('\x1b')
    expect(printed({ env: { CI: '1' } })).not.toContain('\x1b')
  })
})

it('a result is JSON with --json, else text', () => {
  const json = fakeCli(['list', '--json'])
  result(json.cli, [1], () => 'text')
  expect(JSON.parse(json.stdout())).toEqual([1])
  const plain = fakeCli(['publish', 'c', '--', '--json'])
  result(plain.cli, [1], () => 'text')
  expect(plain.stdout()).toBe('text\n')
})
