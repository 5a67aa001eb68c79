import { describe, expect, it } from 'vitest'
import { clean, count, rate, span } from '../../src/web/page/format.js'
import { fieldsOf, paramsOf } from '../../src/web/page/params.js'

const schema = {
  type: 'object',
  required: ['file', 'tries'],
  properties: {
    file: { type: 'string' },
    tries: { type: 'integer', exclusiveMinimum: 0, default: 5 },
    level: { enum: ['low', 2, null] },
    quiet: { type: 'boolean' },
    ignore: { type: 'array' },
  },
}

describe('the form of parameters', () => {
  it('has an input for each, needed ones marked, with the defaults', () => {
    const fields = fieldsOf(schema)
    expect(fields.map(({ name, kind, required }) => [name, kind, required])).toEqual([
      ['file', 'text', true],
      ['tries', 'number', false],
      ['level', 'choice', false],
      ['quiet', 'boolean', false],
      ['ignore', 'json', false],
    ])
    expect(fields[1]).toMatchObject({ standard: 5, integer: true, min: 1 })
  })

  it('gives what was entered, of its type, and leaves out what was not', () => {
    const fields = fieldsOf(schema)
    expect(paramsOf(fields, {})).toEqual({})
    expect(paramsOf(fields, { file: '', level: '2', quiet: false })).toEqual({ level: null, quiet: false })
    expect(paramsOf(fields, { file: '7', tries: '7', level: '1', ignore: '[1]' })).toEqual({
      ...{ file: '7', tries: 7, level: 2, ignore: [1] },
    })
    expect(() => paramsOf(fields, { ignore: '[' })).toThrow(/^ignore: this is not JSON/)
  })

  it('is one piece of JSON where the schema names no parameters, and nothing where there are none', () => {
    const fields = fieldsOf({ type: 'object' })
    expect(paramsOf(fields, { '': '{"any": 1}' })).toEqual({ any: 1 })
    expect(fieldsOf({ type: 'object', properties: {}, additionalProperties: false })).toEqual([])
  })
})

describe('text of workers', () => {
  it('loses the control characters of terminals and of writing direction', () => {
    expect(clean('a\u001b[31mred\u001b[0m\u0007\u0000 \u202egnp.exe\tb\nc')).toBe('ared gnp.exe\tb\nc')
    expect(clean('\u001b]0;title\u0007x')).toBe('x')
  })
})

it('numbers are short', () => {
  expect([0.04, 1.25, 42, 130, 7300, 200_000].map(span)).toEqual(['0.0 s', '1.3 s', '42 s', '2 min', '2 h', '2 d'])
  expect([0, 0.5, 12.4, 1384.2].map(rate)).toEqual(['0', '0.5', '12', '1,384'])
  expect(count(1_204_332)).toBe('1.2M')
})
