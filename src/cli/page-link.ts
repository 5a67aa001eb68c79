import { existsSync, readFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { loginPath } from '../web/token.js'

/** The link that lets its reader in; without a token the bare page. */
export function pageLink(url: string, token: string | undefined): string {
  return token ? new URL(`.${loginPath(token)}`, url).href : url
}

/** The token that a node keeps in `.hysas/token`, of this folder or one above it. */
export function readToken(dataDir: string, cwd: string): string | undefined {
  const files = [join(dataDir, 'token'), ...above(cwd).map((folder) => join(folder, '.hysas', 'token'))]
  const file = files.find((path) => existsSync(path))
  return file === undefined ? undefined : readFileSync(file, 'utf8').trim()
}

/** Over SSH a page on loopback is reached by a tunnel: the command to type on the other machine. */
export function tunnelLine(url: string, env: NodeJS.ProcessEnv): string | undefined {
  const { hostname: host, port } = new URL(url)
  if (!env.SSH_CONNECTION || !/^(127\.|localhost$|\[::1\]$)/.test(host)) return undefined
  const server = env.SSH_CONNECTION.split(' ')[2] ?? hostname()
  return `ssh -L ${port}:${host}:${port} ${userInfo().username}@${server}`
}

function above(folder: string): string[] {
  const parent = dirname(folder)
  return parent === folder ? [folder] : [folder, ...above(parent)]
}
