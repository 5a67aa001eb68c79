import { mkdirSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { bold, cyan, dim, green, red, say, warn } from '../lib/terminal.mjs'
import { feedLog } from './feed.mjs'
import { redisUrl } from './folder.mjs'
import { followFleet } from './follow.mjs'
import { startNode } from './node.mjs'
import { createScreen } from './screen.mjs'
import { startWorkers } from './workers.mjs'

/** The demo until Ctrl-C. Resolves to the exit code. */
export async function demo(root) {
  const end = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => end.abort(signal))
  const releasers = []
  try {
    return await show(root, end.signal, releasers)
  } catch (error) {
    if (end.signal.aborted) return 0
    warn(`${error.message}${error.remedy ? `\n${error.remedy}` : ''}`)
    return 1
  } finally {
    end.abort()
    for (const release of releasers.reverse()) await release()
  }
}

async function show(root, signal, releasers) {
  say(`${bold('HySAS demo')}  ${dim('a log of made-up sshd lines, and workers that watch it for password guessing')}`)
  const node = await startNode(root, signal)
  releasers.push(() => stop(node))
  say(
    `${green('✓')} the node ${bold(node.facts.name)} is up  ${dim(`pid ${node.pid}, ${node.ms} ms, ${node.facts.redis}`)}`,
  )

  const { createClient } = await import(join(root, 'dist/client.js'))
  const namespace = process.env.HYSAS_NAMESPACE
  const client = await createClient({ redisUrl: redisUrl(root), ...(namespace ? { namespace } : {}) })
  releasers.push(() => client.close())

  const file = join(root, '.hysas/demo/auth.log')
  mkdirSync(join(root, '.hysas/demo'), { recursive: true })
  await startWorkers(client, file, signal)
  say()
  tellNext(node.facts)

  const screen = createScreen()
  const feeding = feedLog(file, signal)
  const following = followFleet(client, screen, signal)
  const gone = await Promise.race([node.exited, ended(signal), feeding, following])
  screen.close()
  if (signal.aborted) return 0
  warn(`The node has ended by itself${gone?.said ? `:\n${gone.said}` : '.'}`)
  return 1
}

const ended = (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

async function stop(node) {
  say(dim('Ending the node, its workers and its Redis ...'))
  const began = Date.now()
  await node.stop()
  say(
    `${green('✓')} all ended in ${((Date.now() - began) / 1000).toFixed(1)} s; \`npm run demo\` goes on from here, \`npm run demo -- --reset\` cleans up.`,
  )
}

function tellNext({ page }) {
  if (page) {
    say(`${bold('The page')}  ${cyan(page)}`)
    const tunnel = tunnelOf(page)
    if (tunnel) say(`          ${dim('from your own machine, first:')} ${tunnel}`)
    say()
  }
  say(`${bold('In a second terminal')}  ${dim('in this folder')}`)
  for (const [command, what] of NEXT) say(`  ${cyan(command)}${what ? `  ${dim(`# ${what}`)}` : ''}`)
  say()
  say(`${red('●')} ${dim('marks an alert. Ctrl-C ends everything.')}`)
}

/** The last one edits a processor: what it says changes with its next run. */
const NEXT = [
  ['npx hysas list', ''],
  ['npx hysas start Demo Second', 'a second worker of the same type'],
  ['npx hysas logs gate-1 -f', 'what the detector says'],
  ['npx hysas events --kind alert', 'what is kept in the event store'],
  [
    `perl -pi -e "s/'heard.*?'/'heard, and the file was edited'/" processors/Demo.ts && npx hysas restart DemoName && npx hysas logs DemoName -f`,
    '',
  ],
]

function tunnelOf(page) {
  if (!process.env.SSH_CONNECTION) return undefined
  const { port } = new URL(page)
  const host = process.env.SSH_CONNECTION.split(' ')[2]
  return `ssh -L ${port}:localhost:${port} ${userInfo().username}@${host}`
}
