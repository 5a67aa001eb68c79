// Preloaded into a node's own process: its children get the same false clock, though their environment is made anew.
import childProcess from 'node:child_process'
import { syncBuiltinESMExports } from 'node:module'

const NAMES = /^(LD_PRELOAD|NO_FAKE_STAT|DONT_FAKE_MONOTONIC|FAKETIME.*)$/
const clock = Object.fromEntries(Object.entries(process.env).filter(([name]) => NAMES.test(name)))
const { fork } = childProcess

childProcess.fork = (file, args, options) => fork(file, args, { ...options, env: { ...options?.env, ...clock } })
syncBuiltinESMExports()
