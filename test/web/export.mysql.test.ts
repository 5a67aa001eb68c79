import { mysqlUrl } from '../helpers/mysql.js'
import { describeExport } from './export.js'

describeExport(async () => ({ url: await mysqlUrl(), sqliteFile: '/nowhere' }))
