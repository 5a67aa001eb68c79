import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { Script } from 'node:vm'

/** Ends the file, so that one which was not written to its end is told from a whole one. */
const END = Buffer.from('\nwhole\n')

/**
 * Runs a CommonJS program of one file, in ASCII and without `import()`, whose name changes with its contents and whose text
 * is the function that Node puts around such a program. What V8 has compiled of it is kept beside the program, where that
 * may be written, so that the next run need not compile it again.
 * @param use what it is run for: another use compiles other parts of it
 */
export function runCached(file: string, use: string): void {
  const cache = join(dirname(file), '..', '.code-cache', `${basename(file)}-${use}-${process.version}-${process.arch}`)
  const kept = read(cache)
  const script = new Script(readFileSync(file, 'latin1'), { filename: file, ...(kept && { cachedData: kept }) })
  // by now more of it is compiled than at its beginning
  if (!kept || script.cachedDataRejected) process.once('exit', () => keep(cache, script))
  const program = { exports: {} }
  script.runInThisContext()(createRequire(file), program, program.exports, file, dirname(file))
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
    writeFileSync(draft, Buffer.concat([script.createCachedData(), END]), { mode: 0o644 })
    renameSync(draft, cache)
    const [program = ''] = basename(cache).split('.', 1)
    for (const name of readdirSync(folder)) {
      if (!name.startsWith(`${program}.`)) rmSync(join(folder, name), { force: true })
    }
  } catch {
    // nobody may write there: it is compiled each time
  }
}
