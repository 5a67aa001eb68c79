import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** The floors of the house: an import goes down or stays on its floor, never up. The longest matching path counts. */
const FLOORS = {
  'src/cli/': 6,
  'src/web/': 5,
  'src/node/': 4,
  'src/monitor/': 4,
  'src/client/': 4,
  'src/client.ts': 4,
  'src/testing/': 4,
  'src/testing.ts': 4,
  'src/fleet/': 3,
  'src/sandbox/': 3,
  'src/store/': 2,
  'src/redis/': 2,
  'src/config/': 2,
  'src/index.ts': 2,
  'src/protocol.ts': 1,
  'src/contract.ts': 1,
  'src/errors.ts': 1,
  'src/log.ts': 1,
  'src/after-flood.ts': 1,
  'src/code-cache.ts': 1,
}

/** What single rooms may not (`not`) or may only (`only`) import of the house, of packages (`packages`), and why. */
const ROOMS = [
  {
    room: 'src/sandbox/',
    only: /^src\/(sandbox|redis)\/|^src\/(errors|log|contract|protocol|after-flood|code-cache)\.ts$/,
    lazily: /^src\/store\/database/,
    why: 'a child starts fast',
  },
  { room: 'src/node/', not: /^src\/sandbox\//, why: 'the node reaches the sandbox only by the path of its bundle' },
  {
    room: 'src/fleet/',
    packages: /^(express|node:child_process|child_process)$/,
    names: /\bWorker\b/,
    why: 'the fleet is data: it knows no BullMQ Worker, no express, no child process',
  },
  {
    room: 'src/monitor/',
    packages: /^(express|node:child_process|child_process)$/,
    names: /\bWorker\b/,
    why: 'the monitor knows no BullMQ Worker, no express, no child process',
  },
  {
    room: 'src/web/',
    not: /^src\/fleet\/(?!views\.ts$)|^src\/redis\/[\w-]*scripts\.ts$/,
    why: 'the web changes the fleet only through client',
  },
  {
    room: 'src/cli/',
    not: /^src\/fleet\/(?!views\.ts$)|^src\/redis\/[\w-]*scripts\.ts$/,
    why: 'the CLI changes the fleet only through client',
  },
]

/** Every import in the folder's `src`: [{from, to (a file of the house, or undefined), specifier, names, lazy}]. */
export function importsOf(root) {
  const files = readdirSync(join(root, 'src'), { recursive: true })
    .map((name) => join('src', name))
    .filter((path) => /\.tsx?$/.test(path) && !path.startsWith('src/web/page/'))
  return files.flatMap((from) => scan(readFileSync(join(root, from), 'utf8')).map((one) => resolve(root, from, one)))
}

/** The sentences of what is broken; empty where all is well. */
export function brokenRules(imports) {
  return [...imports.flatMap((one) => [...upward(one), ...intoRoom(one)]), ...circles(imports)]
}

const IMPORT =
  /^\s*(?:import|export)\s+((?:type\s+)?[\w*{}\s,$]*?)\s*from\s+['"]([^'"]+)['"]|^\s*import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm

function scan(text) {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  return [...code.matchAll(IMPORT)].map(([, names, specifier, bare, dynamic]) => ({
    specifier: specifier ?? bare ?? dynamic,
    names: names ?? '',
    lazy: dynamic !== undefined,
    // `typeof import('x')` and `import type` are gone in what runs.
    type: /^type\b/.test(names ?? ''),
  }))
}

function resolve(root, from, one) {
  if (!one.specifier.startsWith('.')) return { from, to: undefined, ...one }
  const base = join(root, dirname(from), one.specifier)
  const candidates = [base.replace(/\.js$/, '.ts'), base.replace(/\.js$/, '.tsx'), join(base, 'index.ts')]
  const file = candidates.find((path) => existsSync(path)) ?? candidates[0]
  return { from, to: relative(root, file), ...one }
}

function upward({ from, to }) {
  if (!to) return []
  const [here, there] = [floorOf(from), floorOf(to)]
  if (here === undefined) return [`${from} belongs to no floor`]
  if (there === undefined || there <= here) return []
  return [`${from} (floor ${here}) imports ${to} (floor ${there}): imports go down, never up`]
}

function floorOf(path) {
  const match = Object.keys(FLOORS)
    .filter((room) => path.startsWith(room))
    .sort((a, b) => b.length - a.length)[0]
  return match && FLOORS[match]
}

function intoRoom({ from, to, specifier, names, lazy }) {
  return ROOMS.filter(({ room }) => from.startsWith(room)).flatMap((rule) => {
    const outside = to && rule.only && !rule.only.test(to) && !(lazy && rule.lazily?.test(to))
    const forbidden = to && rule.not?.test(to)
    const packaged = !to && rule.packages?.test(specifier)
    const named = specifier === 'bullmq' && rule.names?.test(names)
    return outside || forbidden || packaged || named ? [`${from} imports ${to ?? specifier}: ${rule.why}`] : []
  })
}

/** Circles of what runs; a circle of types alone does no harm. */
function circles(imports) {
  const graph = new Map()
  for (const { from, to, type } of imports) {
    if (to && !type) graph.set(from, [...(graph.get(from) ?? []), to])
  }
  const found = new Set()
  const done = new Set()
  const visit = (file, path) => {
    const at = path.indexOf(file)
    if (at >= 0) return found.add([...path.slice(at), file].join(' -> '))
    if (done.has(file)) return
    for (const next of graph.get(file) ?? []) visit(next, [...path, file])
    done.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
  return [...found].map((circle) => `imports in a circle: ${circle}`)
}
