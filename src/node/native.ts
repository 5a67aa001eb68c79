import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Packages whose only use is to load a binary: who depends on one has one. */
const LOADERS = [
  'bindings',
  'node-gyp-build',
  'node-gyp-build-optional-packages',
  'node-addon-api',
  'node-pre-gyp',
  '@mapbox/node-pre-gyp',
  'prebuild-install',
  '@neon-rs/load',
]
/** Names of packages that carry a binary for one platform, such as `@img/sharp-linux-x64`. */
const PLATFORM = /(linux|darwin|win32|freebsd|android)[a-z]*-(x64|arm64|ia32|arm)/
const FOLDERS_OF_BINARIES = ['binding.gyp', 'prebuilds', 'build/Release']

interface PackageJson {
  name?: string
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  [field: string]: unknown
}

const answers = new Map<string, boolean>()

/** Does the file belong to an installed package that loads a native module? Such a package can't be bundled. */
export function isNative(file: string): boolean {
  const folder = packageFolder(dirname(file))
  if (folder === undefined) return false
  const answer = answers.get(folder) ?? judge(folder)
  answers.set(folder, answer)
  return answer
}

/** The nearest folder upward, inside node_modules, whose package.json has a name (nested ones only say `type`). */
function packageFolder(folder: string): string | undefined {
  if (!/[\\/]node_modules[\\/]/.test(folder)) return undefined
  return read(folder)?.name ? folder : packageFolder(dirname(folder))
}

function judge(folder: string): boolean {
  const json = read(folder) ?? {}
  if (json.gypfile || json.binary || json.napi || json.neon) return true
  if (LOADERS.some((name) => json.dependencies?.[name])) return true
  if (Object.keys(json.optionalDependencies ?? {}).some((name) => PLATFORM.test(name))) return true
  if (FOLDERS_OF_BINARIES.some((name) => existsSync(join(folder, name)))) return true
  return readdirSync(folder).some((name) => name.endsWith('.node'))
}

function read(folder: string): PackageJson | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageJson
  } catch {
    return undefined
  }
}
