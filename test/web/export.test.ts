import { join } from 'node:path'
import { temporaryFolder } from '../helpers/folder.js'
import { describeExport } from './export.js'

describeExport(async () => ({ sqliteFile: join(temporaryFolder('hysas-export'), 'events.db') }))
