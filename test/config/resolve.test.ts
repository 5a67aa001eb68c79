import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ResolveInput, resolveSettings } from '../../src/config/resolve.js'
import { SETTINGS } from '../../src/config/schema.js'
import { nodeNameOf } from '../../src/config/surroundings.js'
import { HysasError } from '../../src/errors.js'
import { NICKNAME } from '../../src/redis/names.js'

const here = { processors: ['/fleet/processors'], node: 'host', isFolder: (path: string) => !path.endsWith('lost') }
const settings = (input: Partial<ResolveInput>) => resolveSettings({ cwd: '/fleet', here, ...input })
const file = (content: Record<string, unknown>) => ({ path: '/project/hysas.config.json', content })

function refusal(input: Partial<ResolveInput>): string {
  try {
    settings(input)
  } catch (error) {
    expect(error).toMatchObject({ code: 'BAD_SETTING' })
    return (error as HysasError).message
  }
  throw new Error('it was taken')
}

describe('settings', () => {
  it('have defaults that need nothing', () => {
    expect(settings({})).toEqual({
      redisUrl: undefined,
      redisSource: '.hysas/redis',
      databaseUrl: undefined,
      token: undefined,
      viewerToken: undefined,
      commandToken: undefined,
      alertUrl: undefined,
      host: '127.0.0.1',
      port: 3200,
      web: true,
      basePath: '',
      trustProxy: [],
      allowedHosts: [],
      namespace: 'HySAS',
      processors: ['/fleet/processors'],
      node: 'host',
      capacity: 1000,
      keepDays: 90,
      databases: {},
      dataDir: '/fleet/.hysas',
      logLevel: 'info',
    })
  })

  it('come from flags before the environment before the file', () => {
    const all = { flags: { port: '1' }, env: { HYSAS_PORT: '2' }, file: file({ port: 3 }) }
    expect(settings(all).port).toBe(1)
    expect(settings({ ...all, flags: {} }).port).toBe(2)
    expect(settings({ file: all.file }).port).toBe(3)
    expect(settings({ ...all, flags: {}, env: { HYSAS_PORT: '' } }).port).toBe(3)
  })

  it('tell where the address of Redis came from', () => {
    const env = { HYSAS_REDIS_URL: 'redis://one', REDIS_URL: 'redis://two' }
    expect(settings({ env })).toMatchObject({ redisUrl: 'redis://one', redisSource: 'HYSAS_REDIS_URL' })
    expect(settings({ env: { REDIS_URL: 'redis://two' } })).toMatchObject({ redisSource: 'REDIS_URL' })
    const redisUrl = 'rediss://user:p@host:1/2'
    expect(settings({ file: file({ redisUrl }) })).toMatchObject({
      redisUrl,
      redisSource: '/project/hysas.config.json',
    })
  })

  it('take a flag by its own name and do not mistake the default of --no-web for a choice', () => {
    expect(settings({ flags: { name: 'n1' } }).node).toBe('n1')
    expect(settings({ flags: { web: true }, env: { HYSAS_WEB: 'off' } }).web).toBe(false)
    expect(settings({ flags: { web: false }, env: { HYSAS_WEB: 'on' } }).web).toBe(false)
  })

  it('read paths from the folder of their source', () => {
    expect(settings({ env: { HYSAS_PROCESSORS: 'a:/b' } }).processors).toEqual(['/fleet/a', '/b'])
    expect(settings({ flags: { processors: ['a:b'] } }).processors).toEqual(['/fleet/a:b'])
    const fromFile = settings({
      file: file({ processors: 'p', databases: { raw: 'mysql://h/raw', event: 'event.db' }, databaseUrl: 'x.db' }),
    })
    expect(fromFile).toMatchObject({
      processors: ['/project/p'],
      databases: { raw: 'mysql://h/raw', event: '/project/event.db' },
      databaseUrl: '/project/x.db',
      dataDir: '/project/.hysas',
    })
    expect(settings({ env: { HYSAS_DATA_DIR: 'd' } }).dataDir).toBe('/fleet/d')
  })

  it.each([
    [{ env: { HYSAS_PORT: 'tcp://10.0.0.1:80' } }, /port from HYSAS_PORT .*0 to 65535, given "tcp/],
    [{ env: { HYSAS_PORT: '65536' } }, /wanted is a whole number from 0 to 65535/],
    [{ env: { HYSAS_PORT: '1.5' } }, /wanted is a whole number/],
    [{ file: file({ port: 1.5 }) }, /port from \/project\/hysas.config.json .*whole number/],
    [{ flags: { capacity: '0' } }, /capacity from --capacity .*whole number from 1/],
    [{ flags: { name: 'no good' } }, /node from --name .*a letter, then/],
    [{ env: { HYSAS_REDIS_URL: 'localhost:6379' } }, /redisUrl from HYSAS_REDIS_URL .*redis:\/\/user/],
    [{ env: { HYSAS_REDIS_URL: 'http://h' } }, /redisUrl from HYSAS_REDIS_URL/],
    [{ env: { HYSAS_DATABASE_URL: 'postgres://h/d' } }, /mysql:\/\/ or file:/],
    [{ env: { HYSAS_TOKEN: 'short' } }, /token from HYSAS_TOKEN .*at least 16/],
    [{ env: { HYSAS_WEB: 'maybe' } }, /true or false/],
    [{ env: { HYSAS_NAMESPACE: 'a.b' } }, /namespace from HYSAS_NAMESPACE/],
    [{ file: file({ processors: [1] }) }, /processors .* at 0 .*a folder/],
    [{ flags: { processors: ['a', 'lost'] } }, /processors from --processors .*no folder \/fleet\/lost/],
    [{ file: file({ processors: [] }) }, /at least one folder/],
    [{ file: file({ databases: { raw: 'http://h' } }) }, /databases .* at raw .*mysql/],
    [{ file: file({ prot: 1 }) }, /prot from \/project\/hysas.config.json .*no such setting Did you mean "port"/],
    [{ env: { HYSAS_REDIS_ULR: 'x' } }, /HYSAS_REDIS_ULR from the environment .*"HYSAS_REDIS_URL" is one/],
  ] as [Partial<ResolveInput>, RegExp][])('are refused by key and source: %j', (input, message) => {
    expect(refusal(input)).toMatch(message)
  })

  it('never show a password or a token in a refusal', () => {
    const secret = 'hunter2 hunter2'
    for (const row of SETTINGS.filter(({ key }) => /token|url/i.test(key))) {
      for (const name of row.env) expect(refusal({ env: { [name]: `x://:${secret}@` } })).not.toContain('hunter2')
    }
  })

  it('leave variables alone that are not ours', () => {
    const env = { HYSAS_SERVICE_HOST: '10.0.0.1', HYSAS_SLACK_HOOK: 'x', HYSAS_TEST_REDIS_URL: 'y' }
    expect(() => settings({ env })).not.toThrow()
  })

  it('are either resolved or refused with BAD_SETTING, whatever is given', () => {
    const keys = SETTINGS.map(({ key }) => key)
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys), fc.jsonValue()), (content) => {
        try {
          expect(settings({ file: file(content) }).dataDir).toMatch(/^\//)
        } catch (error) {
          expect(error).toBeInstanceOf(HysasError)
          expect((error as HysasError).code).toBe('BAD_SETTING')
        }
      }),
    )
  })

  it('make a valid name of a node from any host name', () => {
    expect(nodeNameOf('web1.example.org')).toBe('web1')
    expect(nodeNameOf('10-0-0-1')).toBe('node-10-0-0-1')
    fc.assert(fc.property(fc.string(), (host) => void expect(nodeNameOf(host)).toMatch(NICKNAME)))
  })

  it('are all in the table, and each once', async () => {
    const { redisSource: _, ...rest } = settings({})
    expect(SETTINGS.map(({ key }) => key).sort()).toEqual(Object.keys(rest).sort())
  })
})
