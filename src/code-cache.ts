import { accessSync, constants, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { Script } from 'node:vm'

/** Ends the file, so that one which was not written to its end is told from a whole one. */
const END = Buffer.from('\nwhole\n')

/**
 * Runs a CommonJS program of one file, in ASCII, whose name changes with its contents and whose text is the function that
 * Node puts around such a program. What V8 has compiled of it is kept beside the program, where that may be written, so
 * that the next run need not compile it again.
 * @param of.use what it is run for: another use compiles other parts of it
 * @param of.whenWarm called before the run where nothing is kept yet, with what keeps all that is compiled by then
 * @param of.load stands in for `import()`, which V8 can't do out of a program that is kept
 */
export function runCached(
  file: string,
  of: { use: string; whenWarm: (keep: () => void) => void; load?: (url: string) => Promise<unknown> },
): void {
  const name = `${basename(file)}-${of.use}-${process.version}-${process.arch}`
  const cache = join(dirname(file), '..', '.code-cache', name)
  const kept = read(cache)
  const script = new Script(readFileSync(file, 'latin1'), { filename: file, ...(kept && { cachedData: kept }) })
  if (!kept) of.whenWarm(() => read(cache) ?? keep(cache, script))
  else if (script.cachedDataRejected) of.whenWarm(() => keep(cache, script))
  const program = { exports: {} }
  script.runInThisContext()(createRequire(file), program, program.exports, file, dirname(file), of.load)
}

function read(cache: string): Buffer | undefined {
  try {
    const content = readFileSync(cache)
    return content.subarray(-END.length).equals(END) ? content.subarray(0, -END.length) : undefined
  } catch {
    return undefined
  }
}

function keep(cache: string, script: Script): void {
  const folder = dirname(cache)
  const draft = `${cache}.${process.pid}.new`
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK) // what follows takes 10 ms
    writeFileSync(draft, Buffer.concat([script.createCachedData(), END]), { mode: 0o644 })
    renameSync(draft, cache)
    removeOlder(folder, basename(cache))
  } catch {
    // nobody may write there: it is compiled each time
  }
}

/** Removes what was kept of other versions of this program: `<program>-<hash>.cjs-...`. */
function removeOlder(folder: string, cache: string): void {
  const [current = ''] = cache.split('.', 1)
  const program = current.slice(0, current.lastIndexOf('-') + 1)
  for (const name of readdirSync(folder)) {
    if (name.startsWith(program) && !name.startsWith(`${current}.`)) rmSync(join(folder, name), { force: true })
  }
}
