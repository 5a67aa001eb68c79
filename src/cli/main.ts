#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCached } from '../code-cache.js'

/** File name of the quick program (scripts/lib/quick.mjs), beside this one; put in by the build, empty without. */
declare const HYSAS_QUICK: string

/** Commands that need no more than Redis: one file holds all of their program. The others load what they need. */
const QUICK = /^(list|ps|show|start|stop|restart|send|types|nodes|logs|tail|publish|shutdown|help|--help|-h)$/

/** The program of all commands, as this file is to import it; put in by the build. */
declare const HYSAS_ENTRY: string

// Built as CommonJS, since Node's loader of ES modules takes as long as the half of Node's own start.
const [first = '', ...more] = process.argv.slice(2)
if (/^(-V|--version)$/.test(first) && more.length === 0) {
  const own = JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')) as { version: string }
  process.stdout.write(`${own.version}\n`)
} else if (HYSAS_QUICK && QUICK.test(first)) {
  runCached(join(__dirname, HYSAS_QUICK), { use: first, whenWarm: (keep) => process.once('exit', keep) })
} else {
  void import(HYSAS_ENTRY)
}
