import { join } from 'node:path'
import { describe } from 'vitest'
import { temporaryFolder } from '../helpers/folder.js'
import { describeProcess } from './process-suite.js'

describe('Process on SQLite', () => {
  describeProcess(async () => join(temporaryFolder(), 'data.db'))
})
