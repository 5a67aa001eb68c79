import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type Catalog, createCatalog } from '../../src/node/catalog.js'
import { ownPackage } from '../../src/node/package-root.js'
import { temporaryFolder } from '../helpers/folder.js'

let last: Catalog | undefined
afterEach(() => last?.close())

/** A catalog that has started, as of a node that comes up over the same folders after the one before has ended. */
async function catalogOf(user: string, outDir: string): Promise<Catalog> {
  await last?.close()
  const catalog = createCatalog({
    ...{ folders: [user], builtinFolder: join(ownPackage().root, 'processors'), outDir },
    log: { info: () => {}, warn: () => {}, error: () => {} },
  })
  last = catalog
  await catalog.start()
  return catalog
}

/** A folder with a processor that leaves a mark wherever it is imported, with what it imports, and a place for bundles. */
function setup() {
  const root = temporaryFolder()
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  const marks = join(root, 'marks')
  const demo = (n: number) => `import { appendFileSync } from 'node:fs'
import { two } from './lib/two'
import { three } from 'three'
appendFileSync(${JSON.stringify(marks)}, '.')
export default () => ${n} + two + three`
  write('processors/Demo.ts', demo(1))
  write('processors/lib/two.ts', 'export const two = 2')
  write('node_modules/three/index.js', 'exports.three = 3')
  writeFileSync(marks, '')
  const outDir = join(root, 'bundles')
  return { root, write, demo, outDir, looks: () => readFileSync(marks, 'utf8').length, user: join(root, 'processors') }
}

describe('a node that comes up', () => {
  it('compiles and probes nothing that an earlier one has made of the same', async () => {
    const { user, outDir, looks } = setup()
    const first = (await catalogOf(user, outDir)).get('Demo')
    expect(looks()).toBe(1)
    const catalog = await catalogOf(user, outDir)
    expect(catalog.get('Demo')).toEqual({ ...first, at: expect.any(Number) })
    expect(looks()).toBe(1)
    // and still sees every change
    appendFileSync(join(user, 'lib/two.ts'), '+ 20')
    await expect.poll(() => catalog.get('Demo')?.version, { timeout: 10_000 }).not.toBe(first?.version)
    expect(looks()).toBe(2)
  })

  const changes: Record<string, (of: ReturnType<typeof setup>) => void> = {
    'the file': ({ write, demo }) => write('processors/Demo.ts', demo(5)),
    'a file that it imports': ({ write }) => write('processors/lib/two.ts', 'export const two = 22'),
    'what stands in for a file that it imports': ({ write }) =>
      write('processors/lib/two.tsx', 'export const two = 22'),
    'a package that it imports': ({ write }) => write('node_modules/three/index.js', 'exports.three = 33'),
    'what stands in for a package': ({ write }) =>
      write('processors/node_modules/three/index.js', 'exports.three = 333'),
    'how it is compiled': ({ write }) =>
      write('tsconfig.json', '{ "compilerOptions": { "paths": { "three": ["./processors/lib/two3"] } } }'),
  }
  it.each(Object.entries(changes))('compiles and probes it anew where %s has changed', async (_, change) => {
    const all = setup()
    const { user, outDir, looks, write } = all
    write('processors/lib/two3.ts', 'export const three = 3333')
    const before = (await catalogOf(user, outDir)).get('Demo')?.version
    change(all)
    const after = (await catalogOf(user, outDir)).get('Demo')
    expect(after?.error).toBe('')
    expect(after?.version).not.toBe(before)
    expect(looks()).toBe(2)
  })

  it('remembers nothing broken, and is not led astray by what is no recipe', async () => {
    const { user, outDir, looks, write } = setup()
    await catalogOf(user, outDir)
    const recipe = join(outDir, readdirSync(outDir).find((name) => name.endsWith('.json')) ?? '')
    for (const text of ['', '{}', '[]', 'null', '{"maker":1}']) {
      writeFileSync(recipe, text)
      const before = looks()
      expect((await catalogOf(user, outDir)).get('Demo')?.error).toBe('')
      expect(looks()).toBe(before + 1)
    }
    const recipeNow = readFileSync(recipe, 'utf8')
    write('processors/Demo.ts', 'throw new Error("no such device")')
    for (const _ of [1, 2]) expect((await catalogOf(user, outDir)).get('Demo')?.error).toContain('no such device')
    expect(readFileSync(recipe, 'utf8')).toBe(recipeNow)
    rmSync(outDir, { recursive: true })
    write('processors/Demo.ts', 'export default () => 1')
    expect((await catalogOf(user, outDir)).get('Demo')?.error).toBe('')
  })
})

describe('the processors that ship with the package', () => {
  const { root } = ownPackage()
  const built = join(root, 'dist/processors')
  const types = readdirSync(join(root, 'processors'))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => name.slice(0, -3))

  it('are there ready-made, so that a node starts without a compiler', async () => {
    const outDir = join(temporaryFolder(), 'bundles')
    const catalog = await catalogOf(join(outDir, 'none'), outDir)
    expect(catalog.all().map(({ type, error }) => [type, error])).toEqual(types.sort().map((type) => [type, '']))
    for (const { bundle, manifest } of catalog.all()) {
      expect(dirname(bundle)).toBe(built)
      expect(manifest?.description).not.toBe('')
    }
    expect(existsSync(outDir)).toBe(false)
  })

  it('are the same wherever the package lies: no path of the machine that built them is in them', () => {
    const files = types.flatMap((type) => readdirSync(built).filter((name) => name.startsWith(type)))
    expect(files.length).toBeGreaterThanOrEqual(3 * types.length)
    for (const name of files) expect(readFileSync(join(built, name), 'utf8')).not.toContain(root)
  })
})
