// Checks the import rules of the house: `node scripts/imports.mjs [folder]`.
import { join, resolve } from 'node:path'
import { brokenRules, importsOf } from './lib/import-rules.mjs'

const imports = importsOf(resolve(process.argv[2] ?? join(import.meta.dirname, '..')))
const broken = brokenRules(imports)
for (const sentence of broken) console.error(sentence)
console.error(`${imports.length} imports, ${broken.length} against the rules.`)
if (broken.length) process.exitCode = 1
