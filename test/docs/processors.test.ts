import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadBundle } from '../../src/cli/processor-file.js'
import { compileProcessor } from '../../src/node/compile.js'
import { page } from './sections.js'

/** Code that says in its first line which file it is. */
const files = ['processors.md', 'from-python.md', '../README.md', '../README.zh-CN.md'].flatMap((name) =>
  [...page(name).matchAll(/```[jt]s\n\/\/ processors\/(\w+\.\w+)\n(.*?)```/gs)].map(([, file = '', text = '']) => ({
    name,
    file,
    text,
  })),
)

describe('the processors in the documentation', () => {
  let folder = ''
  beforeAll(async () => {
    // within the repository, where Node finds the packages
    folder = await mkdtemp(join(import.meta.dirname, '.tmp-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it.each(files)('$file in $name is one that a node takes', async ({ name, file, text }) => {
    const path = join(folder, `${name.replace(/\W/g, '')}-${file}`)
    await writeFile(path, text)
    const { bundle } = await compileProcessor({ file: path, outDir: join(folder, 'out') })
    const { manifest } = await loadBundle(bundle, path)
    expect(manifest.kind).toMatch(/^(long-running|repeatable|plain)$/)
  })
})
