// Builds dist/: `node scripts/build.mjs [--force] [--clean] [--quiet]`. Quick when no source has changed.
import './node-version.cjs'
import { join } from 'node:path'
import { build } from './lib/build.mjs'

const force = process.argv.includes('--force')
const clean = process.argv.includes('--clean')
const quiet = process.argv.includes('--quiet')
const say = (text) => quiet || console.error(text)

if (!(await build(join(import.meta.dirname, '..'), { force, clean, say }))) process.exitCode = 1
