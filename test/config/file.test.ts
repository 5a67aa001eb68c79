import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readSettingsFile } from '../../src/config/file.js'
import { temporaryFolder } from '../helpers/folder.js'

describe('the file of settings', () => {
  it('is the nearest in the working folder or above', async () => {
    const folder = temporaryFolder()
    const deep = join(folder, 'a/b')
    mkdirSync(deep, { recursive: true })
    expect(await readSettingsFile(deep)).toBeUndefined()
    writeFileSync(join(folder, 'hysas.config.json'), '\uFEFF{"port": 1}')
    expect(await readSettingsFile(deep)).toEqual({ path: join(folder, 'hysas.config.json'), content: { port: 1 } })
    writeFileSync(join(deep, 'hysas.config.json'), '{}')
    expect((await readSettingsFile(deep))?.path).toBe(join(deep, 'hysas.config.json'))
  })

  it.each(['{', '[]', 'null', '"text"', ''])('is refused where it is not one JSON object: %s', async (text) => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'hysas.config.json'), text)
    await expect(readSettingsFile(folder)).rejects.toMatchObject({
      code: 'BAD_SETTING',
      details: { source: join(folder, 'hysas.config.json') },
    })
  })
})
