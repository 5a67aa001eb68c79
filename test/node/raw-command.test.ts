import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HysasError } from '../../src/errors.js'
import { readRaw } from '../../src/node/raw-command.js'

const start = (kwargs: object, more: object = {}) =>
  JSON.stringify({ type: 'sys', operation_name: 'start_worker', kwargs, ...more })

describe('a raw command', () => {
  it('starts, stops and restarts a worker, and shuts down', () => {
    expect(readRaw(start({ worker_name: 'Demo', nickname: 'd', everyMs: 5 }))).toEqual({
      name: 'start',
      data: { type: 'Demo', nickname: 'd', params: { everyMs: 5 } },
    })
    const stop = { type: 'sys', operation_name: 'terminate_worker', kwargs: { nickname: 'd' } }
    expect(readRaw(JSON.stringify(stop))).toEqual({ name: 'stop', data: { nickname: 'd' } })
    expect(readRaw('{"type":"sys","func":"shutdown"}')).toEqual({ name: 'shutdown', data: {} })
  })

  it.each([
    ['a Python pickle', '\x80\x04\x95', 'BAD_MESSAGE', /send JSON/],
    ['a pickle as UTF-8 mends it', '\ufffd\u0004\ufffd', 'BAD_MESSAGE', /send JSON/],
    ['no JSON', 'start Demo d', 'BAD_MESSAGE', /not JSON/],
    ['an unknown operation', '{"type":"sys","operation_name":"__class__"}', 'BAD_MESSAGE', /not known/],
    [
      'a prototype',
      '{"type":"sys","operation_name":"start_worker","kwargs":{"__proto__":{"x":1}}}',
      'BAD_MESSAGE',
      /__proto__/,
    ],
    ['a wrong nickname', start({ worker_name: 'Demo', nickname: '../x' }), 'BAD_NICKNAME', /x/],
    ['a nickname of another kind', start({ worker_name: 'Demo', nickname: 7 }), 'BAD_NICKNAME', /7/],
    ['a reserved type', start({ worker_name: 'Command', nickname: 'x' }), 'BAD_TYPE', /Command/],
    ['a huge one', start({ worker_name: 'Demo', nickname: 'x', fill: 'x'.repeat(300_000) }), 'TOO_LARGE', /bytes/],
    ['a deep one', `${'['.repeat(100_000)}`, 'BAD_MESSAGE', /JSON/],
  ])('is refused where it is %s', (_what, raw, code, message) => {
    expect(() => readRaw(raw)).toThrowError(expect.objectContaining({ code, message: expect.stringMatching(message) }))
  })

  it('needs the token where one is configured', () => {
    const good = start({ worker_name: 'Demo', nickname: 'd' }, { token: 'secret' })
    expect(readRaw(good, 'secret').name).toBe('start')
    expect(() => readRaw(good, 'other')).toThrowError(expect.objectContaining({ code: 'FORBIDDEN' }))
    expect(() => readRaw(start({ worker_name: 'Demo', nickname: 'd' }), 'secret')).toThrowError(
      expect.objectContaining({ code: 'FORBIDDEN' }),
    )
  })

  it('never fails but with a coded error, whatever comes', () => {
    const ok = (raw: string) => {
      try {
        readRaw(raw)
      } catch (error) {
        if (!(error instanceof HysasError)) throw error
      }
    }
    fc.assert(fc.property(fc.string(), ok))
    fc.assert(fc.property(fc.json(), ok))
    fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (kwargs) => ok(start(kwargs))))
  })
})
