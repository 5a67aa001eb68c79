import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createConnection } from 'mysql2/promise'
import { describe, expect, it } from 'vitest'
import { parseMysqlUrl } from '../../src/store/url.js'
import { startMysql } from '../helpers/mysql.js'

/** Certificates of an authority of the tests' own: for localhost, and for other.example. */
const pathOf = (name: string) => fileURLToPath(new URL(`tls/${name}`, import.meta.url))

const start = (certificate: string) =>
  startMysql(`--ssl-cert=${pathOf(certificate)}`, `--ssl-key=${pathOf('server.key')}`)

/** How the connection is encrypted, by the options that the URL means; the authority stands for one that Node knows. */
async function cipher(url: string, ca = readFileSync(pathOf('authority.pem'))): Promise<string> {
  const { ssl, ...options } = parseMysqlUrl(url)
  const connection = await createConnection({ ...options, ...(typeof ssl === 'object' && { ssl: { ...ssl, ca } }) })
  const [rows] = await connection.query("show session status like 'Ssl_cipher'")
  await connection.end()
  return (rows as { Value: string }[])[0]?.Value ?? ''
}

describe('MySQL over TLS', async () => {
  const [mine, other] = await Promise.all([start('localhost.pem'), start('other.example.pem')])
  const byName = ({ url }: { url: string }) => url.replace('127.0.0.1', 'localhost')

  it('takes a certificate for the host by a known authority', async () => {
    expect(await cipher(`${byName(mine)}?ssl=true`)).not.toBe('')
    expect(await cipher(`${mine.url}?ssl=false`)).toBe('')
  })

  it('refuses one for another host, by an unknown authority, and an address, which no name can be compared with', async () => {
    await expect(cipher(`${byName(other)}?ssl=true`)).rejects.toThrow(/altnames/)
    await expect(cipher(`${byName(mine)}?ssl=true`, Buffer.from(''))).rejects.toThrow(/certificate/)
    await expect(cipher(`${mine.url}?ssl=true`)).rejects.toThrow(/name of the host/)
  })

  it('believes whoever answers where it is told to', async () => {
    expect(await cipher(`${other.url}?ssl=insecure`, Buffer.from(''))).not.toBe('')
  })
})
