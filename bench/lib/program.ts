import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { type Bench, ROOT } from './bench.js'

/** A process of its own that does one side's work: bench/programs/<name>.ts. It ends with the row. */
export interface Program {
  pid: number
  /** The next that it tells, in order. Rejects where it ends first. */
  next<T>(): Promise<T>
  send(message: unknown): void
  /** SIGKILL. */
  end(): Promise<void>
}

export function startProgram(bench: Bench, name: string, args: unknown): Program {
  const child = fork(join(ROOT, 'bench/.build/programs', `${name}.mjs`), [JSON.stringify(args)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [],
    env: { ...process.env, NODE_NO_WARNINGS: '1' }, // BullMQ's own child warns at the eleventh
  })
  const told: unknown[] = []
  const waiting: { resolve(value: unknown): void; reject(error: Error): void }[] = []
  let ended: Error | undefined
  child.on('message', (message) => {
    const next = waiting.shift()
    if (next) next.resolve(message)
    else told.push(message)
  })
  const exited = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = new Error(`${name} ended with ${signal ?? code}`)
      for (const { reject } of waiting.splice(0)) reject(ended)
      resolve()
    })
  })
  const program: Program = {
    pid: child.pid ?? -1,
    next<T>() {
      if (told.length) return Promise.resolve(told.shift() as T)
      if (ended) return Promise.reject(ended)
      return new Promise((resolve, reject) => waiting.push({ resolve, reject })) as Promise<T>
    },
    send: (message) => void child.send(message as Parameters<ChildProcess['send']>[0]),
    async end() {
      child.kill('SIGKILL')
      await exited
    },
  }
  bench.release(() => program.end())
  return program
}
