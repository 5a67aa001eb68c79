import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { compileProcessor } from '../../src/node/compile.js'
import { temporaryFolder } from '../helpers/folder.js'

/** Writes files into a new folder and compiles the first of them. */
async function compile(files: Record<string, string>, folder = temporaryFolder()) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  const file = join(folder, Object.keys(files)[0] ?? '')
  return { folder, file, ...(await compileProcessor({ file, outDir: join(folder, 'out') })) }
}

/** What the bundle's default export returns when it is called, in a Node of its own. */
async function callDefault(bundle: string): Promise<unknown> {
  const code = `import(${JSON.stringify(pathToFileURL(bundle).href)}).then(async (m) => {
    let f = m.default; while (typeof f !== 'function') f = f.default
    console.log(JSON.stringify(await f({ data: { a: 1 } })))
  })`
  const { stdout } = await promisify(execFile)(process.execPath, ['--enable-source-maps', '-e', code])
  return JSON.parse(stdout)
}

const reason = (file: string, text: RegExp) =>
  expect.objectContaining({ code: 'BAD_PROCESSOR', details: { file, reason: expect.stringMatching(text) } })

describe('compiling', () => {
  it('takes TypeScript and JavaScript, ESM and CommonJS', async () => {
    const esm = 'export default (job) => job.data.a'
    const cjs = 'module.exports = (job) => job.data.a'
    const old = 'Object.defineProperty(exports, "__esModule", {value: true}); exports.default = (job) => job.data.a'
    const typed = 'interface Job { data: { a: number } }\nexport default (job: Job): number => job.data.a'
    const sources = {
      'A.ts': typed,
      'B.mts': typed,
      'C.js': esm,
      'D.mjs': esm,
      'E.js': cjs,
      'F.cjs': cjs,
      'G.cjs': old,
      'H.cts': 'interface Job { data: { a: number } }\nexport = (job: Job) => job.data.a',
    }
    for (const [name, text] of Object.entries(sources)) {
      expect([name, await callDefault((await compile({ [name]: text })).bundle)]).toEqual([name, 1])
    }
  })

  it('brings local files and names them, and finds hysas and zod without a package.json', async () => {
    const { inputs, bundle, folder, version } = await compile({
      'Demo.ts': `import { defineProcessor } from 'hysas'
import { createHarness } from 'hysas/testing'
import { z } from 'zod'
import { two } from './lib/two.js'
export default { default: () => [typeof defineProcessor, typeof createHarness, z.number().parse(two)] }`,
      'lib/two.ts': 'export const two: number = 2',
    })
    expect(inputs.sort()).toEqual([join(folder, 'Demo.ts'), join(folder, 'lib/two.ts')])
    expect(bundle).toBe(join(folder, 'out', `Demo-${version}.mjs`))
    expect(await callDefault(bundle)).toEqual(['function', 'function', 2])
  })

  it("prefers the packages of the user's own folder", async () => {
    const { bundle, inputs } = await compile({
      'Demo.js': "import { z } from 'zod'; export default () => z",
      'node_modules/zod/package.json': '{"name": "zod", "type": "module", "exports": "./index.js"}',
      'node_modules/zod/index.js': 'export const z = "theirs"',
    })
    expect(await callDefault(bundle)).toBe('theirs')
    expect(inputs).toHaveLength(1)
  })

  it('bundles packages in CommonJS that require modules of Node', async () => {
    const { bundle } = await compile({
      'Demo.mjs': "import path from 'old-package'; export default () => path('a', 'b')",
      'node_modules/old-package/package.json': '{"name": "old-package", "main": "main.js"}',
      'node_modules/old-package/main.js': "const { join } = require('path'); module.exports = join",
    })
    expect(await callDefault(bundle)).toBe(join('a', 'b'))
  })

  it('leaves native packages outside, by absolute path', async () => {
    const source = (how: string) =>
      `${how}; export default () => new Database(':memory:').prepare('select 7 as x').get().x`
    for (const how of ["import Database from 'libsql'", "const { default: Database } = await import('libsql')"]) {
      const { bundle } = await compile({ 'Demo.ts': `// @ts-nocheck\n${source(how)}` })
      expect(await callDefault(bundle)).toBe(7)
    }
    const { bundle } = await compile({
      'Demo.cjs':
        "const D = require('libsql'); module.exports = () => new D(':memory:').prepare('select 7 as x').get().x",
    })
    expect(await callDefault(bundle)).toBe(7)
  })

  it('keeps for each file the place where it lies', async () => {
    const { bundle, folder } = await compile({
      'Demo.ts': `import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import there from './lib/there.cjs'
const require = createRequire(import.meta.url)
const text: string = readFileSync(new URL('./data.txt', import.meta.url), 'utf8')
export default () => [text, require('./data.json').b, there, import.meta.dirname]`,
      'lib/there.cjs': 'module.exports = __dirname',
      'data.txt': 'beside',
      'data.json': '{"b": 2}',
    })
    expect(await callDefault(bundle)).toEqual(['beside', 2, join(folder, 'lib'), folder])
  })

  it('gives stacks with the lines of the source', async () => {
    const { bundle, file } = await compile({
      'Demo.ts': `interface Long {\n  a: number\n}\n\nexport default () => {\n  const here: Long = { a: 1 }\n  return new Error(String(here.a)).stack\n}`,
    })
    expect(await callDefault(bundle)).toContain(`${file}:7:10`)
  })

  it('names the version by what comes out: the same for the same source anywhere, another for another', async () => {
    const one = await compile({ 'Demo.ts': 'export default () => 1', 'x.ts': '' })
    const same = await compile({ 'Demo.ts': 'export default () => 1' })
    const other = await compile({ 'Demo.ts': 'export default () => 2' })
    expect(one.version).toMatch(/^[0-9a-f]{10}$/)
    expect(same.version).toBe(one.version)
    expect(other.version).not.toBe(one.version)
    await compileProcessor({ file: one.file, outDir: join(one.folder, 'out') })
    expect(readdirSync(join(one.folder, 'out')).sort()).toEqual([
      `Demo-${one.version}.mjs`,
      `Demo-${one.version}.mjs.map`,
    ])
    expect(readFileSync(one.bundle, 'utf8')).toContain(`//# sourceMappingURL=Demo-${one.version}.mjs.map`)
  })

  it('refuses what it can not compile, with file, line and column', async () => {
    const folder = temporaryFolder()
    const file = join(folder, 'Demo.ts')
    const failing = (text: string) => compile({ 'Demo.ts': text }, folder)
    await expect(failing('\n\nexport default {')).rejects.toEqual(reason(file, /end of file \(at .*Demo\.ts:3:17\)/))
    await expect(failing("import './nowhere.js'")).rejects.toEqual(
      reason(file, /Could not resolve "\.\/nowhere\.js" \(at .*Demo\.ts:1:8\)/),
    )
    await expect(failing("import 'no-such-package-here'")).rejects.toEqual(reason(file, /Could not resolve/))
    await expect(failing("import 'hysas/nothing'")).rejects.toEqual(reason(file, /has no "hysas\/nothing"/))
    await expect(failing("import 'hysas/../../x'")).rejects.toEqual(reason(file, /The package hysas has no/))
    await expect(compileProcessor({ file: join(folder, 'No.ts'), outDir: folder })).rejects.toMatchObject({
      code: 'BAD_PROCESSOR',
    })
  })

  it('tells what it looked for, so that a build that failed can be tried again', async () => {
    const folder = temporaryFolder()
    const trace = { files: new Set<string>(), missing: new Set<string>() }
    writeFileSync(join(folder, 'Demo.ts'), "import './a.js'\nimport './lib/missing.js'")
    writeFileSync(join(folder, 'a.ts'), 'const = broken')
    const building = compileProcessor({ file: join(folder, 'Demo.ts'), outDir: join(folder, 'out'), trace })
    await expect(building).rejects.toMatchObject({ code: 'BAD_PROCESSOR' })
    expect([...trace.files].sort()).toEqual([join(folder, 'Demo.ts'), join(folder, 'a.ts')])
    expect([...trace.missing]).toEqual([join(folder, 'lib')])
  })

  it('can be given up', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'Demo.ts'), "import 'bullmq'\nimport 'zod'\nexport default () => 1")
    const closing = new AbortController()
    const building = compileProcessor({ file: join(folder, 'Demo.ts'), outDir: folder, signal: closing.signal })
    closing.abort()
    await expect(building).rejects.toMatchObject({ code: 'BAD_PROCESSOR' })
  })

  it('follows links among local files', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'real'))
    writeFileSync(join(folder, 'real/x.ts'), 'export const x = 4')
    symlinkSync(join(folder, 'real'), join(folder, 'linked'))
    const { bundle } = await compile({ 'Demo.ts': "import { x } from './linked/x.js'\nexport default () => x" }, folder)
    expect(await callDefault(bundle)).toBe(4)
  })
})
