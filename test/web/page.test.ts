import { describe, expect, it } from 'vitest'
import { clean, count, rate, span } from '../../src/web/page/format.js'
import { fieldsOf, paramsOf, problemOf } from '../../src/web/page/params.js'

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

  const text = { type: 'string' }
  const one = (of: object, needed = true) => {
    const [field] = fieldsOf({ type: 'object', properties: { one: of }, ...(needed && { required: ['one'] }) })
    if (!field) throw new Error('no field')
    return field
  }

  it('takes a box that is left unticked for false where it is needed, and leaves it out where it is not', () => {
    expect(problemOf(one({ type: 'boolean' }), undefined)).toBeUndefined()
    expect(paramsOf([one({ type: 'boolean' })], {})).toEqual({ one: false })
    expect(paramsOf([one({ type: 'boolean' })], { one: true })).toEqual({ one: true })
    expect(paramsOf([one({ type: 'boolean' }, false)], {})).toEqual({})
  })

  it('has a plain input for what may be null, which it is where nothing is entered', () => {
    const forms = [
      { anyOf: [{ ...text, pattern: '^a' }, { type: 'null' }] },
      { type: ['string', 'null'], pattern: '^a' },
    ]
    for (const form of forms) {
      expect(one(form)).toMatchObject({ kind: 'text', required: false, pattern: '^a', note: '' })
      expect(paramsOf([one(form)], {})).toEqual({ one: null })
      expect(paramsOf([one(form, false)], {})).toEqual({})
      expect(paramsOf([one(form)], { one: 'abc' })).toEqual({ one: 'abc' })
    }
    expect(one({ type: ['integer', 'null'], exclusiveMinimum: 0 })).toMatchObject({ kind: 'number', min: 1 })
    expect(one({ type: ['boolean', 'null'] })).toMatchObject({ kind: 'choice', choices: [true, false, null] })
    expect(one({ anyOf: [{ enum: ['a', 'b'] }, { type: 'null' }] }).choices).toEqual(['a', 'b', null])
    expect(one({ anyOf: [{ const: 'a' }, { const: 2 }] }).choices).toEqual(['a', 2])
    // left empty it would be the default
    expect(one({ type: ['string', 'null'], default: 'x' })).toMatchObject({ kind: 'json', note: expect.any(String) })
  })

  it('takes a list of texts one per line, or as the JSON that other places show', () => {
    const field = one({ type: 'array', items: text })
    expect(field).toMatchObject({ kind: 'lines', required: true, note: expect.stringContaining('per line') })
    const read = (value: string) => paramsOf([field], { one: value }).one
    expect(read('/var/log/auth.log')).toEqual(['/var/log/auth.log'])
    expect(read(' a b\r\n\n[c]\n')).toEqual(['a b', '[c]'])
    expect(read('["a", "b"]')).toEqual(['a', 'b'])
    expect(read('[]')).toEqual([])
    expect(read('[1]')).toEqual(['[1]'])
  })

  it('says how to write what can only be written as JSON', () => {
    const note = (of: object) => one(of).note
    expect(note({ type: 'array', items: { type: 'integer', minimum: 5 } })).toBe('JSON: a list, such as [5]')
    const point = { type: 'object', required: ['x'], properties: { x: { type: 'number' }, y: text } }
    expect(note(point)).toBe('JSON: an object, such as {"x":1}')
    expect(note({ anyOf: [text, { type: 'array', items: point }, { type: 'null' }] })).toBe(
      'JSON: text in quotes or a list or null, such as "a"',
    )
    expect(note({ type: 'object', additionalProperties: { type: 'boolean' } })).toContain('such as {"name":true}')
    expect(note({ type: 'array', prefixItems: [text, { enum: [7] }] })).toContain('such as ["a",7]')
    expect(note({ type: 'object', default: { long: 'x'.repeat(100) } })).toBe('JSON: an object')
    expect(note({})).toBe('JSON: any value, such as "a"')
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
