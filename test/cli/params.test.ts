import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readParameters } from '../../src/cli/params.js'
import { temporaryFolder } from '../helpers/folder.js'

function folder(files: Record<string, string>): string {
  const cwd = temporaryFolder()
  mkdirSync(join(cwd, 'config'))
  for (const [path, text] of Object.entries(files)) writeFileSync(join(cwd, path), text)
  return cwd
}

describe('parameters of a start', () => {
  it('come from config/<nickname>.json', async () => {
    const cwd = folder({ 'config/a.json': '{"x": 1}' })
    expect(await readParameters(cwd, 'a')).toEqual({ nickname: 'a', params: { x: 1 }, file: join('config', 'a.json') })
  })

  it('are empty without a file', async () => {
    expect(await readParameters(folder({}), 'a')).toEqual({ nickname: 'a', params: {}, file: undefined })
  })

  it('come from the file that the nickname names, whose base name is the nickname', async () => {
    const cwd = folder({ 'config/a.json': '{"x": 1}', 'b.json': '{"x": 2}' })
    expect(await readParameters(cwd, 'a.json')).toMatchObject({ nickname: 'a', params: { x: 1 } })
    expect(await readParameters(cwd, './b.json')).toMatchObject({ nickname: 'b', params: { x: 2 } })
    await expect(readParameters(cwd, 'c.json')).rejects.toMatchObject({ code: 'BAD_CONFIG_FILE' })
  })

  it('come from --config in place of the file in config/', async () => {
    const cwd = folder({ 'config/a.json': '{"x": 1}', 'b.json': '{"y": 2}' })
    expect(await readParameters(cwd, 'a', { config: 'b.json' })).toMatchObject({ params: { y: 2 }, file: 'b.json' })
    await expect(readParameters(cwd, 'a', { config: 'none.json' })).rejects.toMatchObject({ code: 'BAD_CONFIG_FILE' })
  })

  it('are overridden by --set, whose value is JSON where it is JSON and whose dots nest', async () => {
    const cwd = folder({ 'config/a.json': '{"x": 1, "deep": {"kept": true}}' })
    const set = ['x=2', 'name=some text', 'list=[1,2]', 'deep.er.y=null', 'eq=a=b', 'quoted="7"', 'empty=']
    expect((await readParameters(cwd, 'a', { set })).params).toEqual({
      x: 2,
      name: 'some text',
      list: [1, 2],
      deep: { kept: true, er: { y: null } },
      eq: 'a=b',
      quoted: '7',
      empty: '',
    })
  })

  it.each(['novalue', '=1', 'a..b=1', '__proto__.x=1', 'a.constructor=1', 'a={"__proto__":{"x":1}}'])(
    'refuse --set %s',
    async (setting) => {
      await expect(readParameters(folder({}), 'a', { set: [setting] })).rejects.toMatchObject({ code: 'USAGE' })
      expect(({} as { x?: number }).x).toBeUndefined()
    },
  )

  it('do not nest into what is no object', async () => {
    await expect(readParameters(folder({}), 'a', { set: ['x=1', 'x.y=2'] })).rejects.toMatchObject({ code: 'USAGE' })
  })

  it.each([
    ['no JSON', '{x: 1}'],
    ['a list', '[1]'],
    ['null', 'null'],
    ['a forbidden key', '{"a": {"__proto__": {"x": 1}}}'],
  ])('refuse a file with %s', async (_, text) => {
    const cwd = folder({ 'config/a.json': text })
    await expect(readParameters(cwd, 'a')).rejects.toMatchObject({ code: 'BAD_CONFIG_FILE' })
  })

  it.each(['../a', '', 'a b', '../x.json/..'])('refuse the nickname %j before any file is read', async (nickname) => {
    await expect(readParameters(folder({}), nickname)).rejects.toMatchObject({ code: 'BAD_NICKNAME' })
  })
})
