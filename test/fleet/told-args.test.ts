import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ARGS_LIMIT, toldArgs } from '../../src/fleet/told-args.js'

describe('arguments of an operation, as they are recorded,', () => {
  it('are whole where they are short', () => {
    const args = { limit: 3, deep: { list: [1, 'two', null, { three: false }] }, empty: {} }
    expect(toldArgs(args)).toEqual(args)
    expect(toldArgs({})).toEqual({})
  })

  it('have no secrets, however deep and however written', () => {
    const names = ['password', 'dbPassword', 'access_token', 'API-KEY', 'apiKey', 'clientSecret', 'Authorization']
    const args = Object.fromEntries(names.map((name) => [name, { in: ['planted'] }]))
    const told = toldArgs({ ...args, list: [{ deeper: args }], url: 'see redis://u:planted@host:1/0 and this' })
    expect(JSON.stringify(told)).not.toContain('planted')
    expect(told).toMatchObject({ dbPassword: '[redacted]', url: 'see redis://u:***@host:1/0 and this' })
  })

  it('are cut, and said to be, where they are long; a secret is not in what is left', () => {
    const told = toldArgs({ token: 'planted', text: 'x'.repeat(1_000_000) }) as { begins: string }
    expect(told).toMatchObject({ truncated: true, characters: expect.any(Number) })
    expect(told.begins).toHaveLength(ARGS_LIMIT)
    expect(told.begins).toMatch(/^\{"token":"\[redacted\]","text":"xxx/)
  })

  it('never throw, and are never much longer than the limit', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`)
    expect(toldArgs(deep)).toMatchObject({ truncated: true, characters: null })
    const anything = fc.dictionary(fc.string(), fc.jsonValue())
    fc.assert(fc.property(anything, (args) => JSON.stringify(toldArgs(args)).length < 7 * ARGS_LIMIT))
  })
})
