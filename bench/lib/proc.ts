import { readdirSync, readFileSync } from 'node:fs'

/** A process and all that descend from it. */
export function familyOf(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const stat = Number.isInteger(Number(name)) && statOf(Number(name))
    if (!stat) continue
    const parent = Number(stat[1])
    children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const family = [pid]
  for (const one of family) family.push(...(children.get(one) ?? []))
  return family
}

/** Proportional set size of all these processes together, MB: memory that they share counts once. */
export function pssMb(pids: readonly number[]): number {
  const kb = pids.map((pid) => {
    try {
      return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0)
    } catch {
      return 0 // gone meanwhile
    }
  })
  return kb.reduce((sum, one) => sum + one, 0) / 1024
}

/** Processor time that these processes have used so far, s. */
export function cpuSeconds(pids: readonly number[]): number {
  const TICKS_A_SECOND = 100
  const ticks = pids.map((pid) => {
    const stat = statOf(pid)
    return stat ? Number(stat[11]) + Number(stat[12]) : 0
  })
  return ticks.reduce((sum, one) => sum + one, 0) / TICKS_A_SECOND
}

/** Fields of /proc/<pid>/stat from the state on: 0 state, 1 parent, 11 user and 12 system ticks. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}
