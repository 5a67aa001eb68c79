import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { compileProcessor } from '../node/compile.js'
import type { Cli } from './cli.js'
import { settingsOf } from './connect.js'

const IS_TEST = /\.test\.(ts|mts|js|mjs)$/

/** Absolute paths of the tests asked for; without any, of all in the processors folders and in `test/`. */
export async function findTests(cli: Cli, given: readonly string[]): Promise<string[]> {
  if (given.length) return given.map((file) => resolve(cli.cwd, file))
  const folders = new Set([...(await settingsOf(cli)).processors, join(cli.cwd, 'processors'), join(cli.cwd, 'test')])
  const found = await Promise.all([...folders].map(testsIn))
  return found.flat().sort()
}

/**
 * Bundles the tests as processors are, and runs them by `node --test`; its report goes to the terminal.
 * @returns whether all passed
 * @throws HysasError BAD_PROCESSOR where one can't be compiled
 */
export async function runTests(cli: Cli, files: readonly string[]): Promise<boolean> {
  const outDir = await mkdtemp(join(tmpdir(), 'hysas-tests-'))
  try {
    const compiled = await Promise.all(files.map((file) => compileProcessor({ file, outDir })))
    const args = ['--enable-source-maps', '--test', '--test-reporter=spec', ...compiled.map(({ bundle }) => bundle)]
    // A test runner above us (NODE_TEST_CONTEXT) would make this one silent.
    const { NODE_TEST_CONTEXT: _, ...env } = cli.env
    const child = spawn(process.execPath, args, { cwd: cli.cwd, env, stdio: 'inherit' })
    const signal = cli.interrupted()
    signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true })
    return await new Promise((done, fail) => child.once('error', fail).once('close', (code) => done(code === 0)))
  } finally {
    await rm(outDir, { recursive: true, force: true })
  }
}

async function testsIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isFile() && IS_TEST.test(entry.name) && !entry.parentPath.includes('node_modules'))
    .map((entry) => join(entry.parentPath, entry.name))
}
