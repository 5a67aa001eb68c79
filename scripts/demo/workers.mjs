import { bold, dim, green, say, tick } from '../lib/terminal.mjs'

/** Starts the demo's workers, or finds that an earlier run left them wanted; then they are up by themselves. */
export async function startWorkers(client, file, signal) {
  const workers = [
    ['LogFollower', 'auth-log', { file }, 'follows the log'],
    ['SshGuard', 'gate-1', { source: 'auth-log' }, 'hears auth-log, alerts on password guessing'],
    ['AlertCount', 'alert-count', {}, 'counts alerts each minute'],
    ['Demo', 'DemoName', {}, 'publishes a number each second and hears itself'],
  ]
  const stopTicking = tick('Starting the workers')
  const starting = workers.map(([type, nickname, params]) => startOne(client, type, nickname, params, signal))
  const lines = await Promise.all(starting).finally(stopTicking)
  for (const [at, [type, nickname, , what]] of workers.entries()) {
    say(`${green('✓')} ${bold(nickname.padEnd(12))} ${type.padEnd(12)} ${what}  ${dim(lines[at])}`)
  }
}

async function startOne(client, type, nickname, params, signal) {
  try {
    const { pid, ms } = await client.start(type, nickname, params, { by: 'demo', timeoutMs: 30_000, signal })
    return `${pid ? `pid ${pid}, ` : ''}${Math.round(ms)} ms`
  } catch (error) {
    if (error.code !== 'NAME_TAKEN') throw error
    return 'goes on where it stopped'
  }
}
