import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { tick } from '../lib/terminal.mjs'
import { isConfigured, liveUsers } from './folder.mjs'

/** A node ends its workers in order within this time, ms; then it is made to. */
const PATIENCE_MS = 4000

/**
 * Starts `hysas up` for the folder and waits until it is up. It is a process group of its own, so that a Ctrl-C in the
 * terminal is passed on once, by us.
 */
export async function startNode(root, signal) {
  const users = liveUsers(root)
  if (users.length) {
    throw new Error(
      `A node is up in this folder already (process ${users.join(', ')}). End it first: npx hysas shutdown`,
    )
  }
  const began = Date.now()
  const child = spawn(process.execPath, [join(root, 'dist/cli/main.js'), 'up', '--json'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said = (said + text).slice(-4000)
  })
  const exited = new Promise((resolve) => child.once('close', () => resolve({ said: problemIn(said) })))
  const atExit = () => child.kill('SIGKILL')
  process.once('exit', atExit)
  exited.then(() => process.off('exit', atExit))

  const interrupt = () => child.kill('SIGINT')
  signal.addEventListener('abort', interrupt)
  const stopTicking = tick(`Starting a node${isConfigured() ? '' : ' with a Redis of its own'}`)
  const facts = await Promise.race([firstJson(child.stdout), exited])
  stopTicking()
  signal.removeEventListener('abort', interrupt)
  if (!facts.name) throw new Error(`The node did not come up:\n${facts.said}`)
  return {
    facts,
    pid: child.pid,
    ms: Date.now() - began,
    exited,
    async stop() {
      interrupt()
      if (await Promise.race([exited, sleep(PATIENCE_MS, undefined, { ref: false })])) return
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** The node prints one JSON document, over several lines, once it is up. */
function firstJson(stream) {
  return new Promise((resolve) => {
    let text = ''
    stream.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
      try {
        resolve(JSON.parse(text))
      } catch {
        // not whole yet
      }
    })
  })
}

/** Of the node's log, one JSON object a line, what a person needs: warnings and errors, and what is no log at all. */
function problemIn(said) {
  return said
    .trim()
    .split('\n')
    .map((line) => {
      try {
        const { level, msg, code, message, remedy } = JSON.parse(line)
        return level === undefined ? `${code ?? ''} ${message ?? line} ${remedy ?? ''}` : level >= 40 ? msg : ''
      } catch {
        return line
      }
    })
    .filter(Boolean)
    .slice(-8)
    .join('\n')
}
