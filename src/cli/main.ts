#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** File name of the quick program (scripts/lib/quick.mjs), beside this one; put in by the build, empty without. */
declare const HYSAS_QUICK: string

/** Commands that need no more than Redis: one file holds all of their program. The others load what they need. */
const QUICK = /^(list|ps|show|start|stop|restart|send|types|nodes|logs|tail|publish|shutdown|help|--help|-h)$/

const [first = '', ...more] = process.argv.slice(2)
if (/^(-V|--version)$/.test(first) && more.length === 0) {
  const own = new URL('../../package.json', import.meta.url)
  process.stdout.write(`${(JSON.parse(readFileSync(own, 'utf8')) as { version: string }).version}\n`)
} else if (HYSAS_QUICK && QUICK.test(first)) {
  const { runCached } = await import('./code-cache.js')
  runCached(fileURLToPath(new URL(HYSAS_QUICK, import.meta.url)), first)
} else {
  await import('./entry.js')
}
