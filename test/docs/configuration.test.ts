import { describe, expect, it } from 'vitest'
import { SETTINGS } from '../../src/config/schema.js'
import { parseMysqlUrl } from '../../src/store/url.js'
import { page, rows, sections } from './sections.js'

const table = rows(sections(page('configuration.md'), 2).get('Settings') ?? '')
const code = (text: string) => `\`${text}\``

const urlOptions = rows(sections(page('configuration.md'), 3).get('Options of a MySQL URL') ?? '')

describe('docs/configuration.md', () => {
  it('lists every setting once, and no other', () => {
    expect(table.map(([key]) => key).sort()).toEqual(SETTINGS.map(({ key }) => code(key)).sort())
  })

  it.each(SETTINGS)('tells variables, flag, default and meaning of $key as the code has them', (setting) => {
    const row = table.find(([key]) => key === code(setting.key))
    expect(row?.slice(1)).toEqual([
      setting.env.map(code).join(', ') || '—',
      setting.flag ? code(setting.flag) : '—',
      setting.default,
      setting.description,
    ])
  })

  it('names the options of a MySQL URL that are understood', () => {
    const names = urlOptions.map(([name = '']) => name.replaceAll('`', ''))
    expect(names).toEqual(['ssl', 'socketPath', 'connectTimeout', 'charset', 'timezone', 'dateStrings'])
    for (const name of names) expect(() => parseMysqlUrl(`mysql://host/name?${name}=true`), name).not.toThrow()
  })
})
