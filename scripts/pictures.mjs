// Takes the pictures of docs/images from a fleet that really runs: `node scripts/pictures.mjs [seconds]`. Needs Chromium.
import './node-version.cjs'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { chromium } from 'playwright-core'
import { feedLog } from './demo/feed.mjs'

const ROOT = join(import.meta.dirname, '..')
const IMAGES = join(ROOT, 'docs/images')
/** So long the fleet runs before its pictures are taken, s. */
const seconds = Number(process.argv[2] ?? 75)

const WORKERS = (file) => [
  ['LogFollower', 'auth-log', { file }],
  ['SshGuard', 'gate-1', { source: 'auth-log' }],
  ['SshGuard', 'gate-2', { source: 'auth-log' }],
  ['AlertCount', 'alert-count', {}],
  ['Demo', 'DemoName', {}],
  ['Demo', 'metronome', { everyMs: 40 }],
]

const folder = mkdtempSync(join(tmpdir(), 'hysas-pictures-'))
const end = new AbortController()
const first = up('alpha', ['--port', '0'])
const { page: link, redis } = await facts(first)
const second = up('beta', ['--no-web'])
await facts(second)
const browser = await chromium.launch({
  executablePath: process.env.HYSAS_TEST_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu'],
})
try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: 'light' })
  const page = await context.newPage()
  await page.goto(link)
  await page.getByText('live', { exact: true }).waitFor()
  const call = (path, body = {}) =>
    page.request.post(new URL(`/api/v1${path}`, link).href, { data: body, headers: { origin: new URL(link).origin } })
  const file = join(folder, 'auth.log')
  feedLog(file, end.signal)
  for (const [type, nickname, params] of WORKERS(file)) {
    const answer = await call('/workers', { type, nickname, params })
    if (!answer.ok()) throw new Error(`${nickname} did not start: ${await answer.text()}`)
  }
  await page.goto(new URL('/#/worker/gate-1', link).href)
  await sleep(seconds * 400)
  await call('/workers/gate-1/restart')
  await sleep(seconds * 200)
  const { pid } = await (await page.request.get(new URL('/api/v1/workers/gate-1', link).href)).json()
  process.kill(pid, 'SIGKILL')
  await sleep(seconds * 400)

  mkdirSync(IMAGES, { recursive: true })
  const take = async (hash, name, height) => {
    await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
    await sleep(3000)
    await page.setViewportSize({ width: 1280, height })
    await page.screenshot({ path: join(IMAGES, `${name}.png`) })
    console.log(`docs/images/${name}.png`)
  }
  await take('#/worker/gate-1', 'worker', 1080)
  await take('#/flow', 'flow', 680)
  await take('#/fleet', 'page', 1000)
  await take('#/events?range=hour', 'events', 760)
} finally {
  end.abort()
  await browser.close()
  for (const node of [second, first]) node.kill('SIGINT')
  await Promise.all(
    [first, second].map((node) => node.exitCode ?? new Promise((resolve) => node.once('exit', resolve))),
  )
  rmSync(folder, { recursive: true, force: true })
}
console.log(`taken of a fleet on ${redis}`)

function up(name, more) {
  const env = { ...process.env, HYSAS_NAMESPACE: 'HySAS', HYSAS_REDIS_URL: '', REDIS_URL: '' }
  return spawn(process.execPath, [join(ROOT, 'dist/cli/main.js'), 'up', '--json', '--name', name, ...more], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}

/** The node prints one JSON document once it is up. */
function facts(node) {
  return new Promise((resolve, reject) => {
    let text = ''
    node.stdout.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
      try {
        resolve(JSON.parse(text))
      } catch {
        // not whole yet
      }
    })
    node.once('exit', () => reject(new Error('the node ended')))
  })
}
