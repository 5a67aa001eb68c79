import type { Row } from '../lib/types.js'
import cli from './cli.js'
import start from './start.js'
import startShared from './start-shared.js'

export const rows: readonly Row[] = [start, startShared, cli]
