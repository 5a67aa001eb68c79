import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')
interface Locked {
  version?: string
  integrity?: string
  resolved?: string
  optional?: boolean
  devOptional?: boolean
  link?: boolean
  hasInstallScript?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
}
const lock = JSON.parse(read('package-lock.json')) as { lockfileVersion: number; packages: Record<string, Locked> }
const packages = Object.entries(lock.packages).filter(([path, { link }]) => path !== '' && !link)

describe('what we install', () => {
  it('is locked, with the checksum of every package that this or another machine could be given', () => {
    expect(lock.lockfileVersion).toBe(3)
    // packages of other platforms are locked by version alone where they were never fetched
    const without = packages.filter(([, { integrity }]) => !/^sha(512|384|256)-/.test(integrity ?? ''))
    for (const [path, { optional, devOptional, os, cpu }] of without)
      expect({ path, optional: Boolean(optional || devOptional), platform: Boolean(os ?? cpu) }).toEqual({
        path,
        optional: true,
        platform: true,
      })
    const here = without.filter(([, { os = [], cpu = [], libc }]) => {
      const fits = os.includes(process.platform) && cpu.includes(process.arch)
      return fits && (libc === undefined || libc.includes('glibc'))
    })
    expect(here.map(([path]) => path)).toEqual([])
  })

  it('comes from the registry that the user has configured, and from nowhere else', () => {
    const elsewhere = packages.filter(([, { resolved }]) => resolved && !/^https:\/\/registry\./.test(resolved))
    expect(elsewhere.map(([path]) => path)).toEqual([])
    const { dependencies = {}, devDependencies = {} } = JSON.parse(read('package.json'))
    for (const wanted of Object.values<string>({ ...dependencies, ...devDependencies }))
      expect(wanted).toMatch(/^[\^~]?\d/) // no git, no URL, no tag
  })

  it('runs no script at install: the set-up says --ignore-scripts, and what has one works without', () => {
    const scripts = readdirSync(join(ROOT, 'scripts'), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(mjs|cjs)$/.test(file))
      .map((file) => [file, read(join('scripts', file))] as const)
    const installs = scripts.filter(([, text]) => /['"](ci|install)['"]/.test(text) && /npm/.test(text))
    expect(installs.map(([file]) => file)).toContain('lib/node-packages.mjs')
    expect(read('scripts/lib/node-packages.mjs')).toContain("['ci', '--ignore-scripts'")
    const own = JSON.parse(read('package.json')).scripts as Record<string, string>
    for (const hook of ['preinstall', 'install', 'postinstall', 'prepare']) expect(own[hook]).toBeUndefined()
    // both bring a prebuilt program as an optional package; the script is only for where that is missing
    const withScript = packages.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)
    expect(withScript.sort()).toEqual(['node_modules/esbuild', 'node_modules/msgpackr-extract'])
  })
})
