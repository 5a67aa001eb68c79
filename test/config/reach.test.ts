import { describe, expect, it } from 'vitest'
import { resolveSettings } from '../../src/config/resolve.js'

const here = { processors: [], node: 'n', isFolder: () => true }
const read = (env: Record<string, string>) => resolveSettings({ env, cwd: '/w', here })

describe('behind a proxy', () => {
  it.each([
    ['/hysas/', '/hysas'],
    ['ops/hysas', '/ops/hysas'],
    ['/', ''],
  ])('the base path %s is %j', (given, wanted) => {
    expect(read({ HYSAS_BASE_PATH: given }).basePath).toBe(wanted)
  })

  it('proxies and names are lists', () => {
    expect(read({}).trustProxy).toEqual([])
    expect(read({ HYSAS_TRUST_PROXY: 'loopback, 10.0.0.0/8,fd00::/8' }).trustProxy).toEqual([
      'loopback',
      '10.0.0.0/8',
      'fd00::/8',
    ])
    expect(read({ HYSAS_ALLOWED_HOSTS: 'Fleet.example.org,b' }).allowedHosts).toEqual(['fleet.example.org', 'b'])
    const file = { path: '/w/hysas.config.json', content: { allowedHosts: ['a.example'] } }
    expect(resolveSettings({ file, cwd: '/w', here }).allowedHosts).toEqual(['a.example'])
  })

  it.each([
    ['HYSAS_BASE_PATH', '/a/../b'],
    ['HYSAS_BASE_PATH', '/a?b'],
    ['HYSAS_TRUST_PROXY', 'true'],
    ['HYSAS_TRUST_PROXY', '10.0.0.0/40'],
    ['HYSAS_ALLOWED_HOSTS', 'a.example:8443'],
    ['HYSAS_ALLOWED_HOSTS', 'https://a.example'],
  ])('%s=%s is refused', (key, value) => {
    expect(() => read({ [key]: value })).toThrow(expect.objectContaining({ code: 'BAD_SETTING' }))
  })
})
