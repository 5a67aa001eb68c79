// Builds dist/: `node scripts/build.mjs [--force] [--quiet]`. Quick when no source has changed.
import './node-version.cjs'
import { join } from 'node:path'
import { build } from './lib/build.mjs'

const force = process.argv.includes('--force')
const quiet = process.argv.includes('--quiet')
const say = (text) => quiet || console.error(text)

if (!(await build(join(import.meta.dirname, '..'), { force, say }))) process.exitCode = 1
