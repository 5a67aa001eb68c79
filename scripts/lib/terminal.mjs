import { spawn } from 'node:child_process'
import { clearInterval, setInterval } from 'node:timers'

const colour = process.env.NO_COLOR === undefined && (process.stderr.isTTY || process.env.FORCE_COLOR !== undefined)
const paint = (code) => (text) => (colour ? `\x1b[${code}m${text}\x1b[0m` : String(text))

export const bold = paint(1)
export const dim = paint(2)
export const red = paint(31)
export const green = paint(32)
export const yellow = paint(33)
export const blue = paint(34)
export const cyan = paint(36)

export function say(text = '') {
  process.stderr.write(`${text}\n`)
}

export function warn(text) {
  say(yellow(text))
}

/**
 * Runs a program and shows that it lives: on a terminal one line with its last words and the seconds, elsewhere a line
 * every ten seconds. Its whole output is shown only where it fails. Resolves to whether it succeeded.
 */
export async function runVisibly(label, command, args, options = {}) {
  const began = Date.now()
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  let output = ''
  const keep = (chunk) => {
    output = (output + chunk).slice(-100_000)
  }
  child.stdout.setEncoding('utf8').on('data', keep)
  child.stderr.setEncoding('utf8').on('data', keep)
  const stopTicking = tick(label, began, () => output)
  const code = await new Promise((resolve) => {
    child.once('close', resolve)
    child.once('error', (error) => {
      keep(String(error))
      resolve(-1)
    })
  })
  stopTicking()
  const seconds = `${((Date.now() - began) / 1000).toFixed(0)} s`
  if (code === 0) say(`${green('✓')} ${label} ${dim(seconds)}`)
  else say(`${red('✗')} ${label} failed after ${seconds}:\n${ends(output)}`)
  return code === 0
}

/** Some programs say first what is wrong, some last. */
function ends(output) {
  const lines = output.trim().split('\n')
  return (lines.length <= 40 ? lines : [...lines.slice(0, 20), '...', ...lines.slice(-20)]).join('\n')
}

/** Shows that something goes on, with its seconds, until the returned function is called. */
export function tick(label, began = Date.now(), output = () => '') {
  const live = process.stderr.isTTY
  if (!live) say(`${label} ...`)
  const show = () => {
    const words =
      output()
        .trimEnd()
        .split(/[\r\n]/)
        .at(-1) ?? ''
    const text = `${label} ${Math.round((Date.now() - began) / 1000)} s  ${words}`
    if (live) process.stderr.write(`\r\x1b[K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`)
    else say(`  ... ${text}`.slice(0, 140))
  }
  const timer = setInterval(show, live ? 200 : 10_000)
  return () => {
    clearInterval(timer)
    if (live) process.stderr.write('\r\x1b[K')
  }
}
