import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll } from 'vitest'
import { findProgram, type Running, run } from '../helpers/process.js'
import { until } from '../helpers/until.js'

/** A network of its own, joined to ours by one cable. */
export interface Network {
  /** Ours and its own address on the cable. */
  here: string
  there: string
  /** What a command is to begin with, to run in it. */
  enter: readonly string[]
  /** Pulls the cable, and puts it back. */
  down(): void
  up(): void
  /** Has what it sends, and what is sent to it, delayed by half of `delayMs` each, and some of it lost (percent). */
  impair(delayMs: number, lossPercent: number): Promise<void>
  mend(): Promise<void>
  /** How long it takes to connect to a port of ours from there. */
  connectMs(port: number): Promise<number>
}

const CABLE = join(import.meta.dirname, 'lossy-cable.pl')
const holders = new Set<Running>()

afterAll(async () => {
  for (const holder of holders) await holder.kill()
})

let made = 0

/**
 * Makes a network namespace. It and its cable are gone with the process that holds it: nothing is left behind, whatever
 * becomes of the test.
 */
export async function makeNetwork(): Promise<Network> {
  const [ip, tc] = [program('ip'), program('tc')]
  const holder = run(program('unshare'), ['--net', 'sleep', 'infinity'])
  holders.add(holder)
  const number = (process.pid * 4 + made++) % 16_384
  const [near, far] = [`hy${number}n`, `hy${number}f`]
  // of the range that is reserved for tests of networks
  const [here, there] = [1, 2].map((last) => `198.18.${number >> 6}.${(number % 64) * 4 + last}`) as [string, string]
  const enter = [program('nsenter'), `--net=/proc/${holder.pid}/ns/net`]
  const inside = (...args: string[]) => execute([...enter, ip, ...args])
  const own = readlink('self')
  await until(() => readlink(String(holder.pid)) !== own, { what: 'the network namespace' })
  execute([ip, 'link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', String(holder.pid)])
  execute([ip, 'addr', 'add', `${here}/30`, 'dev', near])
  execute([ip, 'link', 'set', near, 'up'])
  inside('link', 'set', 'lo', 'up')
  inside('addr', 'add', `${there}/30`, 'dev', far)
  inside('link', 'set', far, 'up')
  let mend = async () => {}
  /** By the kernel's own network emulator. */
  const netem = (delayMs: number, lossPercent: number) => {
    const what = ['netem', 'limit', '10000', 'delay', `${delayMs}ms`, 'loss', `${lossPercent}%`]
    execute([tc, 'qdisc', 'replace', 'dev', near, 'root', ...what])
    execute([...enter, tc, 'qdisc', 'replace', 'dev', far, 'root', ...what])
    mend = async () => {
      execute([tc, 'qdisc', 'del', 'dev', near, 'root'])
      execute([...enter, tc, 'qdisc', 'del', 'dev', far, 'root'])
    }
  }
  /** For kernels without one: another cable, that does so, takes over. Connections stay. */
  const relay = async (delayMs: number, lossPercent: number) => {
    const [a, b] = [`${near}t`, `${far}t`]
    const cable = run(program('perl'), [CABLE, a, b, String(delayMs), String(lossPercent)])
    holders.add(cable)
    mend = () => cable.kill()
    await until(() => cable.output().includes('ready'), { what: `the lossy cable: ${cable.output()}` })
    execute([ip, 'link', 'set', b, 'netns', String(holder.pid)])
    execute([ip, 'link', 'set', a, 'up'])
    inside('link', 'set', b, 'up')
    execute([ip, 'route', 'replace', `${there}/32`, 'dev', a, 'src', here])
    inside('route', 'replace', `${here}/32`, 'dev', b, 'src', there)
  }
  return {
    here,
    there,
    enter,
    down: () => execute([ip, 'link', 'set', near, 'down']),
    up: () => execute([ip, 'link', 'set', near, 'up']),
    async impair(delayMs, lossPercent) {
      try {
        netem(delayMs / 2, lossPercent)
      } catch (error) {
        if (!/kind is unknown/.test(String(error))) throw error
        await relay(delayMs / 2, lossPercent)
      }
    },
    mend: () => mend(),
    async connectMs(port) {
      const script = `const at = performance.now()
require('node:net').connect(${port}, '${here}', () => { console.log(performance.now() - at); process.exit() })`
      const [command = '', ...args] = [...enter, process.execPath, '-e', script]
      return Number((await promisify(execFile)(command, args)).stdout)
    },
  }
}

function program(name: string): string {
  const found = findProgram(name)
  if (!found) throw new Error(`The tests of networks need ${name} (Debian: iproute2, util-linux) and root.`)
  return found
}

function execute([command = '', ...args]: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

function readlink(pid: string): string {
  return spawnSync('readlink', [`/proc/${pid}/ns/net`]).stdout.toString()
}
