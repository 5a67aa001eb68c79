import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { say, warn } from '../lib/terminal.mjs'
import { isConfigured, liveUsers } from './folder.mjs'

/** Removes what the demo keeps. Returns false, having said why, while a node still uses it. */
export function reset(root) {
  const folder = join(root, '.hysas')
  const users = liveUsers(root)
  if (users.length) {
    warn(
      `A node is up in this folder (process ${users.join(', ')}). End it first, by Ctrl-C or \`npx hysas shutdown\`.`,
    )
    return false
  }
  if (!existsSync(folder)) say('There is nothing to clean up.')
  else {
    rmSync(folder, { recursive: true, force: true })
    say(`Removed ${folder}.`)
  }
  if (isConfigured()) {
    say(
      'The fleet itself is in the Redis that you have configured: `npx hysas stop <nickname>` takes a worker out of it.',
    )
  }
  return true
}
