import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { type Catalog, createCatalog } from '../../src/node/catalog.js'
import { temporaryFolder } from '../helpers/folder.js'
import { until } from '../helpers/until.js'

const open = new Set<Catalog>()
afterEach(async () => {
  await Promise.all([...open].map((catalog) => catalog.close()))
  open.clear()
})

function setup(files: Record<string, string> = {}, { missing = false } = {}) {
  const root = temporaryFolder()
  const user = join(root, 'processors')
  const builtin = join(root, 'builtin')
  const outDir = join(root, 'bundles')
  for (const folder of missing ? [builtin] : [user, builtin]) mkdirSync(folder)
  const write = (name: string, text: string) => writeFileSync(join(root, name), text)
  for (const [name, text] of Object.entries(files)) write(name, text)
  const changes: string[] = []
  const lines: string[] = []
  const line = (fields: object | string, msg = '') => void lines.push(`${msg} ${JSON.stringify(fields)}`)
  const catalog = createCatalog({
    ...{ folders: [user], builtinFolder: builtin, outDir },
    log: { info: line, warn: line, error: line },
    onChange: (type) => changes.push(type),
  })
  open.add(catalog)
  return { root, user, outDir, write, catalog, changes, lines }
}

const plain = (n: number) => `export default () => ${n}`
const version = (catalog: Catalog, type = 'Demo') => catalog.get(type)?.version
/** How soon a change of a file must be known. */
const SOON = { timeoutMs: 20_000 }

describe('the catalog', () => {
  it('has every processor file of its folders, compiled and probed, once started', async () => {
    const { catalog, user, outDir } = setup({
      'processors/Demo.ts': plain(1),
      'processors/Other.cjs': 'module.exports = () => 1',
      'builtin/Monitor.ts': plain(3),
    })
    await Promise.all([catalog.start(), catalog.start()])
    expect(catalog.all().map(({ type, builtin, error }) => [type, builtin, error])).toEqual([
      ['Demo', false, ''],
      ['Monitor', true, ''],
      ['Other', false, ''],
    ])
    expect(catalog.get('Demo')).toMatchObject({ file: join(user, 'Demo.ts'), manifest: { kind: 'plain' } })
    expect(catalog.get('Demo')?.bundle).toBe(join(outDir, `Demo-${version(catalog)}.mjs`))
    expect(catalog.get('Nothing')).toBeUndefined()
    expect(catalog.get('__proto__')).toBeUndefined()
    expect(catalog.get('../processors/Demo')).toBeUndefined()
  })

  it('takes only files directly in the folder that are named like a type', async () => {
    const { catalog, user, lines, write } = setup({ 'processors/Demo.ts': plain(1) })
    mkdirSync(join(user, 'Folder.ts'))
    mkdirSync(join(user, 'sub'))
    const others = ['helper.ts', 'Demo.test.ts', 'Types.d.ts', 'sub/Deep.ts', 'Notes.md', 'Command.ts', 'My-Type.ts']
    for (const name of others) write(`processors/${name}`, plain(1))
    await catalog.start()
    expect(catalog.all().map(({ type }) => type)).toEqual(['Demo'])
    expect(
      lines.filter((one) => one.startsWith('not a processor')).map((one) => /reserved|letters/.exec(one)?.[0]),
    ).toEqual(expect.arrayContaining(['reserved', 'letters']))
  })

  it('has a new file as a type, and an edited one as a new version, within two seconds', async () => {
    const { catalog, write, changes } = setup()
    await catalog.start()
    write('processors/Demo.ts', plain(1))
    const first = await until(() => version(catalog), SOON)
    write('processors/Demo.ts', plain(2))
    await until(() => version(catalog) !== first, SOON)
    expect(changes).toEqual(['Demo', 'Demo'])
  })

  it('has a new version when a local file that a processor imports is edited, wherever it lies', async () => {
    const { catalog, write, root } = setup({
      'processors/Demo.ts': "import { a } from './a.js'\nimport { b } from '../lib/b.js'\nexport default () => a + b",
      'processors/a.ts': 'export const a = 1',
    })
    mkdirSync(join(root, 'lib'))
    await catalog.start()
    expect(catalog.get('Demo')?.error).toContain('Could not resolve "../lib/b.js"')
    write('lib/b.ts', 'export const b = 1')
    const first = await until(() => version(catalog), SOON)
    write('processors/a.ts', 'export const a = 2')
    const second = await until(() => version(catalog) !== first && version(catalog), SOON)
    write('lib/b.ts', 'export const b = 2')
    await until(() => version(catalog) !== second, SOON)
  })

  it('keeps the last good version in force while the newest is broken', async () => {
    const { catalog, write, changes, lines } = setup({ 'processors/Demo.ts': plain(1) })
    await catalog.start()
    const good = catalog.get('Demo')
    write('processors/Demo.ts', 'export default {')
    await until(() => catalog.get('Demo')?.error, SOON)
    expect(catalog.get('Demo')).toMatchObject({
      version: good?.version,
      bundle: good?.bundle,
      manifest: good?.manifest,
    })
    const brokenAt = catalog.get('Demo')?.at
    write('processors/Demo.ts', 'throw new Error("at import")')
    await until(() => catalog.get('Demo')?.error.includes('Error: at import (at '), SOON)
    expect(version(catalog)).toBe(good?.version)
    expect(catalog.get('Demo')?.at).toBe(brokenAt)
    write('processors/Demo.ts', plain(1))
    await until(() => catalog.get('Demo')?.error === '', SOON)
    expect(changes).toEqual(['Demo', 'Demo', 'Demo', 'Demo'])
    expect(lines.filter((one) => one.startsWith('processor broken'))).toHaveLength(2)
  })

  it('reports a type that was never good, and takes it up when it is mended', async () => {
    const { catalog, write, user } = setup({ 'processors/Demo.ts': 'nonsense(' })
    await catalog.start()
    expect(catalog.get('Demo')).toMatchObject({
      ...{ type: 'Demo', file: join(user, 'Demo.ts'), version: '', bundle: '', manifest: undefined },
      error: expect.stringMatching(/Demo\.ts:1:10/),
    })
    write('processors/Demo.ts', plain(1))
    await until(() => version(catalog), SOON)
  })

  it('is not held up by a file that never comes to an end', { timeout: 20_000 }, async () => {
    const { catalog, write } = setup()
    await catalog.start()
    write('processors/Loop.ts', 'for (;;);')
    await sleep(300)
    write('processors/Demo.ts', plain(1))
    await until(() => version(catalog), SOON)
    expect(catalog.get('Loop')).toBeUndefined()
    const began = performance.now()
    await catalog.close()
    expect(performance.now() - began).toBeLessThan(2000)
  })

  it("lets the user's file shadow the built-in one, and that one return", async () => {
    const { catalog, user, write, changes } = setup({ 'builtin/Demo.ts': plain(1) })
    await catalog.start()
    const builtin = catalog.get('Demo')
    expect(builtin?.builtin).toBe(true)
    write('processors/Demo.ts', plain(2))
    await until(() => catalog.get('Demo')?.builtin === false, SOON)
    expect(version(catalog)).not.toBe(builtin?.version)
    rmSync(join(user, 'Demo.ts'))
    await until(() => catalog.get('Demo')?.builtin, SOON)
    expect(version(catalog)).toBe(builtin?.version)
    expect(changes).toHaveLength(3)
  })

  it('leaves the built-in one in force where the file that shadows it was never good', async () => {
    const { catalog, user } = setup({ 'builtin/Demo.ts': plain(1), 'processors/Demo.ts': 'nonsense(' })
    await catalog.start()
    expect(catalog.get('Demo')).toMatchObject({
      builtin: true,
      file: join(user, 'Demo.ts'),
      manifest: { kind: 'plain' },
    })
    expect(catalog.get('Demo')?.error).toContain(join(user, 'Demo.ts'))
  })

  it('removes a type with its file, but not when an editor replaces the file', async () => {
    const { catalog, user, write, changes } = setup({ 'processors/Demo.ts': plain(1) })
    await catalog.start()
    renameSync(join(user, 'Demo.ts'), join(user, 'Demo.ts~'))
    await sleep(60)
    write('processors/.Demo.swp', plain(2))
    renameSync(join(user, '.Demo.swp'), join(user, 'Demo.ts'))
    await until(() => changes.length === 2, SOON)
    expect(catalog.get('Demo')).toMatchObject({ error: '' })
    rmSync(join(user, 'Demo.ts'))
    await until(() => catalog.get('Demo') === undefined, SOON)
    expect(changes).toHaveLength(3)
  })

  it('takes no half-written file for a version', async () => {
    const { catalog, user, changes } = setup()
    await catalog.start()
    const file = join(user, 'Demo.ts')
    writeFileSync(file, '')
    for (const part of ['export default () => {', '\n  return 1', '\n}\n']) {
      await sleep(70)
      appendFileSync(file, part)
    }
    await until(() => version(catalog), SOON)
    expect(changes).toEqual(['Demo'])
    expect(catalog.get('Demo')?.error).toBe('')
  })

  it('refuses a link that leads out of the folder, and takes one that does not', async () => {
    const { catalog, root, user, lines } = setup({ 'secret.ts': 'console.log("never run")\nexport default () => 1' })
    writeFileSync(join(user, 'inner.ts'), plain(1))
    symlinkSync(join(root, 'secret.ts'), join(user, 'Out.ts'))
    symlinkSync(join(root, 'nowhere.ts'), join(user, 'Gone.ts'))
    symlinkSync(join(user, 'inner.ts'), join(user, 'Inner.ts'))
    await catalog.start()
    expect(catalog.all().map(({ type, error }) => [type, /link that leads \w+/.exec(error)?.[0]])).toEqual([
      ['Gone', 'link that leads nowhere'],
      ['Inner', undefined],
      ['Out', 'link that leads out'],
    ])
    expect(lines.join()).not.toContain('never run')
  })

  it('watches for a folder that comes later', async () => {
    const { catalog, user, write } = setup({ 'builtin/Demo.ts': plain(1) }, { missing: true })
    await catalog.start()
    mkdirSync(user)
    write('processors/Late.ts', plain(1))
    const first = await until(() => version(catalog, 'Late'), SOON)
    write('processors/Late.ts', plain(2))
    await until(() => version(catalog, 'Late') !== first, SOON)
    rmSync(user, { recursive: true })
    await until(() => catalog.get('Late') === undefined, SOON)
  })

  it('brings a bundle back that somebody removed', async () => {
    const { catalog, outDir, changes } = setup({ 'processors/Demo.ts': plain(1) })
    await catalog.start()
    rmSync(outDir, { recursive: true })
    await until(() => existsSync(catalog.get('Demo')?.bundle ?? ''), SOON)
    expect(changes).toEqual(['Demo'])
  })

  it('removes at its start bundles that nobody has used for a day', async () => {
    const { catalog, outDir } = setup({ 'processors/Demo.ts': plain(1) })
    mkdirSync(outDir)
    const names = ['Old-0123456789.mjs', 'Old-0123456789.mjs.map', 'New-0123456789.mjs', 'notes.txt']
    for (const name of names) writeFileSync(join(outDir, name), '')
    const yesterday = Date.now() / 1000 - 90_000
    for (const name of names.filter((one) => !one.startsWith('New'))) {
      utimesSync(join(outDir, name), yesterday, yesterday)
    }
    await catalog.start()
    const bundle = `Demo-${version(catalog)}.mjs`
    const left = readdirSync(outDir).filter((name) => !name.endsWith('.json')) // those are of recall.ts
    expect(left.sort()).toEqual([bundle, `${bundle}.map`, 'New-0123456789.mjs', 'notes.txt'].sort())
  })

  it('does nothing more once it is closed', async () => {
    const { catalog, write, changes } = setup()
    await catalog.start()
    await Promise.all([catalog.close(), catalog.close()])
    write('processors/Demo.ts', plain(1))
    await sleep(1300)
    expect(changes).toEqual([])
  })
})
