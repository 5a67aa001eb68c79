import type { Command } from 'commander'
import type { Cli } from '../cli.js'
import { registerDoctor } from './doctor.js'
import { registerEvents } from './events.js'
import { registerInit } from './init.js'
import { registerLink } from './link.js'
import { registerList } from './list.js'
import { registerLogs } from './logs.js'
import { registerNew } from './new.js'
import { registerNodes } from './nodes.js'
import { registerPublish } from './publish.js'
import { registerRestart } from './restart.js'
import { registerRun } from './run.js'
import { registerSend } from './send.js'
import { registerShow } from './show.js'
import { registerShutdown } from './shutdown.js'
import { registerStart } from './start.js'
import { registerStop } from './stop.js'
import { registerTail } from './tail.js'
import { registerTest } from './test.js'
import { registerTypes } from './types.js'
import { registerUp } from './up.js'

const GROUPS: readonly [heading: string, ...((program: Command, cli: Cli) => Command)[]][] = [
  ['Nodes:', registerUp, registerNodes, registerShutdown, registerLink, registerDoctor],
  ['Workers:', registerStart, registerStop, registerRestart, registerSend],
  ['Looking:', registerList, registerShow, registerTypes, registerLogs, registerEvents, registerTail, registerPublish],
  ['Writing processors:', registerInit, registerNew, registerRun, registerTest],
]

/** Adds every command to the program, in the order of the help. */
export function registerAll(program: Command, cli: Cli): void {
  for (const [heading, ...commands] of GROUPS)
    for (const register of commands) register(program, cli).helpGroup(heading)
}
