import { describe } from 'vitest'
import { mysqlUrl } from '../helpers/mysql.js'
import { describeProcess } from './process-suite.js'

describe('Process on MariaDB', () => {
  describeProcess(mysqlUrl)
})
