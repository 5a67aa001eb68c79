import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { HysasError } from '../../src/errors.js'
import { checkArgs, checkParams } from '../../src/node/params.js'
import { jsonSchemaOf } from '../../src/sandbox/json-schema.js'

const demo = jsonSchemaOf(
  z.object({
    everyMs: z.number().int().positive().default(1000),
    level: z.enum(['low', 'high']).optional(),
    names: z.array(z.string().min(1)).optional(),
    target: z.union([z.string(), z.object({ host: z.string(), port: z.number().min(1).max(65535) })]).optional(),
  }),
)

function problems(params: unknown, schema = demo): string {
  try {
    checkParams('Demo', schema, params)
    return ''
  } catch (error) {
    expect(error).toBeInstanceOf(HysasError)
    expect((error as HysasError).code).toBe('BAD_PARAMS')
    return String((error as HysasError).details.problems)
  }
}

describe('parameters', () => {
  it('are accepted when they fit, and are left as they were', () => {
    const given = { names: ['a'] }
    expect(problems(given)).toBe('')
    expect(given).toEqual({ names: ['a'] })
    expect(problems({ everyMs: 5, target: { host: 'a', port: 1 } })).toBe('')
  })

  it('that do not fit are named one by one, with what was given and what is wanted', () => {
    expect(problems({ everyMs: 'abc', evryMs: 5 }).split('; ').sort()).toEqual([
      'everyMs: given "abc", wanted a whole number above 0',
      'evryMs: not known, did you mean "everyMs"?',
    ])
    expect(problems({ everyMs: 0 })).toBe('everyMs: given 0, wanted a whole number above 0')
    expect(problems({ everyMs: 1.5 })).toBe('everyMs: given 1.5, wanted a whole number above 0')
    expect(problems({ level: 'mid' })).toBe('level: given "mid", wanted one of "low", "high"')
    expect(problems({ names: ['a', ''] })).toBe('names[1]: given "", wanted a text that is not empty')
    expect(problems({ target: 3 })).toBe('target: given 3, wanted a text or an object with host, port')
    expect(problems({ target: { host: 'a' } })).toBe(
      'target: given {"host":"a"}, wanted a text or an object with host, port',
    )
    expect(problems({}, jsonSchemaOf(z.object({ file: z.string() })))).toBe('file: missing, wanted a text')
    expect(problems({ x: 1 }, jsonSchemaOf(z.object({})))).toBe('x: not known (it takes none)')
    expect(problems({ a: 'b' }, jsonSchemaOf(z.object({ a: z.string().regex(/^c/) })))).toContain(
      'a: given "b", wanted',
    )
  })

  it('of an unknown name are taken where the schema says so', () => {
    expect(problems({ more: 1 }, jsonSchemaOf(z.looseObject({ a: z.string().optional() })))).toBe('')
    expect(problems({ more: 1 }, { type: 'object' })).toBe('')
  })

  it('are an object and nothing else', () => {
    for (const given of [undefined, null, [], 'x', 5, true]) expect(problems(given)).toContain('wanted an object')
  })

  it('that would touch prototypes are refused, at any depth', () => {
    for (const key of ['__proto__', 'constructor', 'prototype']) {
      expect(problems(JSON.parse(`{"${key}": {"a": 1}}`), { type: 'object' })).toBe(`the key "${key}" is not allowed`)
      expect(problems(JSON.parse(`{"a": [{"${key}": 1}]}`), { type: 'object' })).toContain('not allowed')
    }
  })

  it('that are too large, too deep, circular or no JSON are refused', () => {
    expect(problems({ a: 'x'.repeat(103_000) }, { type: 'object' })).toContain('at most 102400 are taken')
    expect(problems(JSON.parse(`${'{"a":'.repeat(21)}1${'}'.repeat(21)}`), { type: 'object' })).toContain('20 deep')
    expect(problems(JSON.parse(`${'{"a":'.repeat(20)}1${'}'.repeat(20)}`), { type: 'object' })).toBe('')
    const circle: Record<string, unknown> = {}
    circle.self = circle
    expect(problems(circle, { type: 'object' })).toContain('20 deep')
    expect(problems({ a: 1n }, { type: 'object' })).toContain('can not be written as JSON')
  })

  it('are left to the processor where its schema can not be used here', () => {
    expect(problems({ a: 1 }, { type: 'object', properties: { a: { $ref: 'https://example.org/x' } } })).toBe('')
    expect(problems({ a: 1 }, { $schema: 'http://json-schema.org/draft-07/schema#', $id: 'x', type: 'object' })).toBe(
      '',
    )
  })

  it('of two types with the same $id are judged by their own schema', () => {
    const schema = (type: string) => ({ $id: 'params', type: 'object', properties: { a: { type } } })
    expect(problems({ a: 'x' }, schema('string'))).toBe('')
    expect(problems({ a: 'x' }, schema('number'))).toBe('a: given "x", wanted a number')
  })

  it('with very many faults are told in a few', () => {
    const given = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`odd${i}`, 1]))
    expect(problems(given)).toMatch(/and 40 more$/)
  })
})

describe('arguments of an operation', () => {
  it('are checked likewise, under their own code', () => {
    const schema = jsonSchemaOf(z.object({ level: z.enum(['a', 'b']) }))
    expect(() => checkArgs('logLevel', schema, { level: 'a' })).not.toThrow()
    expect(() => checkArgs('logLevel', schema, {})).toThrowError(
      expect.objectContaining({ code: 'BAD_ARGS', message: expect.stringContaining('level: missing, wanted one of') }),
    )
  })
})
