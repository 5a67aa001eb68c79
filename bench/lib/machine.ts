import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem, type } from 'node:os'

export interface Machine {
  cores: number
  cpu: string
  memoryGb: number
  system: string
  node: string
  redis: string
}

export function machine(): Machine {
  const version = execFileSync('redis-server', ['--version'], { encoding: 'utf8' })
  return {
    cores: cpus().length,
    cpu: cpus()[0]?.model.trim() ?? '',
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version.slice(1),
    redis: /v=(\S+)/.exec(version)?.[1] ?? '?',
  }
}

export const machineText = ({ cores, cpu, memoryGb, node, redis }: Machine): string =>
  `${cores} cores${cpu && cpu !== 'unknown' ? ` (${cpu})` : ''}, ${memoryGb} GB, Node ${node}, Redis ${redis}`
