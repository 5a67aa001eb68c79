import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, it } from 'vitest'
import { startEmbedded } from '../../src/redis/embedded.js'
import { removeFolder, temporaryFolder } from '../helpers/folder.js'

const folder = temporaryFolder('hysas-exposed')
const embedded = await startEmbedded({ dataDir: folder })
afterAll(async () => {
  await embedded.release()
  removeFolder(folder)
})

async function tried(host: string, password?: string): Promise<string> {
  const redis = new Redis({
    host,
    port: Number(new URL(embedded.url).port),
    ...(password && { password }),
    retryStrategy: null,
    connectTimeout: 2000,
    maxRetriesPerRequest: 0,
    lazyConnect: true,
  })
  let why = ''
  redis.on('error', (error: Error) => {
    why ||= error.message
  })
  try {
    await redis.connect()
    return await redis.set('x', '1')
  } catch (error) {
    return `${(error as Error).message} ${why}`
  } finally {
    redis.disconnect()
  }
}

describe('the private Redis', () => {
  it('refuses whoever has no password, or a wrong one', async () => {
    expect(await tried('127.0.0.1')).toMatch(/NOAUTH/)
    expect(await tried('127.0.0.1', 'wrong')).toMatch(/WRONGPASS|invalid/)
  })

  it('listens on loopback only', async () => {
    const outside = Object.values(networkInterfaces())
      .flatMap((entries) => entries ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4')
    for (const { address } of outside) expect(await tried(address)).toMatch(/ECONNREFUSED/)
    const sockets = listening(Number(new URL(embedded.url).port))
    expect(sockets).toEqual(['0100007F']) // 127.0.0.1
  })

  it('keeps its password to its owner, and out of every command line', async () => {
    const { password } = new URL(embedded.url)
    expect(password.length).toBeGreaterThanOrEqual(32)
    for (const file of readdirSync(join(folder, 'redis'), { recursive: true, encoding: 'utf8' })) {
      const path = join(folder, 'redis', file)
      if (statSync(path).isFile() && readFileSync(path).includes(password)) expect(statSync(path).mode & 0o077).toBe(0)
    }
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
      expect(commandLine(pid)).not.toContain(password)
  })
})

/** Addresses on which something listens at a port, as the kernel writes them. */
function listening(port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local = '', , state]) => local.endsWith(`:${hex}`) && state === '0A')
      .map(([, local = '']) => local.split(':')[0] ?? ''),
  )
}

function commandLine(pid: string): string {
  try {
    readlinkSync(`/proc/${pid}/cwd`)
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
