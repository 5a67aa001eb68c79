import { createConnection } from 'mysql2/promise'
import { describe } from 'vitest'
import { mysqlUrl } from '../helpers/mysql.js'
import { describeDatabase } from './database.js'

describe('a user database on MySQL', () => {
  describeDatabase('mysql', async () => {
    const url = await mysqlUrl()
    const connection = await createConnection(url)
    await connection.query('alter database character set utf8mb4 collate utf8mb4_bin')
    await connection.end()
    return url
  })
})
