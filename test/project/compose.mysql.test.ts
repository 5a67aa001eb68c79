import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { resolveSettings } from '../../src/config/resolve.js'
import { SETTINGS } from '../../src/config/schema.js'
import { temporaryFolder } from '../helpers/folder.js'
import { mysqlUrl } from '../helpers/mysql.js'
import { findProgram, freePort, type Running, run } from '../helpers/process.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

/** The container files, read and carried out without Docker: the same commands and settings, other addresses. */
const ROOT = join(import.meta.dirname, '../..')
const SECRETS: Record<string, string> = { HYSAS_TOKEN: 'a-token-of-the-test', HYSAS_MYSQL_PASSWORD: 'secret' }

interface Service {
  image?: string
  build?: string
  command?: string[]
  init?: boolean
  environment: Record<string, string>
  healthcheck?: { test: string[] }
  depends_on: Record<string, { condition: string }>
  volumes: string[]
  ports: string[]
  stop_grace_period: string
}
type Name = 'redis' | 'mysql' | 'node-a' | 'node-b'

const text = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8')
const withSecrets = text.replace(/\$\{(\w+):\?[^}]*\}/g, (_whole, name: string) => SECRETS[name] ?? '')
const compose = parse(withSecrets, { merge: true }) as { services: Record<Name, Service>; volumes: object }
const { redis, mysql, 'node-a': nodeA, 'node-b': nodeB } = compose.services
const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
const lastStage = dockerfile.slice(dockerfile.lastIndexOf('FROM '))

const inDockerfile = (instruction: string) => lastStage.match(new RegExp(`^${instruction} (.*)$`, 'm'))?.[1] ?? ''

describe('docker-compose.yml', () => {
  it('brings Redis, MySQL 8.4 and two nodes with an init as process 1, each when what it needs is healthy', () => {
    expect(mysql.image).toBe('mysql:8.4')
    expect(nodeA.environment.HYSAS_NODE).not.toBe(nodeB.environment.HYSAS_NODE)
    for (const node of [nodeA, nodeB]) {
      expect(node).toMatchObject({ build: '.', init: true })
      expect(node.depends_on).toEqual({
        redis: { condition: 'service_healthy' },
        mysql: { condition: 'service_healthy' },
      })
    }
    for (const needed of [redis, mysql]) expect(needed.healthcheck?.test[0]).toMatch(/^CMD/)
  })

  it('keeps the data in named volumes and opens the page on loopback only', () => {
    const named = [redis, mysql].flatMap(({ volumes }) => volumes.map((volume) => volume.split(':')[0] ?? ''))
    expect(Object.keys(compose.volumes)).toEqual(named)
    for (const { ports } of [nodeA, nodeB]) for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:3200$/)
    for (const { ports } of [redis, mysql]) expect(ports).toBeUndefined()
  })

  it('shows the nodes the processors, and `hysas start` within them the parameters', () => {
    const folder = lastStage
      .match(/^WORKDIR (.*)$/gm)
      ?.at(-1)
      ?.split(' ')[1]
    for (const { volumes } of [nodeA, nodeB])
      expect(volumes).toEqual([`./processors:${folder}/processors:ro`, `./config:${folder}/config:ro`])
  })

  it('has no secret in it', () => {
    for (const name of Object.keys(SECRETS)) expect(text).toMatch(`\${${name}:?`)
    expect(text).not.toMatch(/PASSWORD: [a-z]/)
  })

  it('sets what HySAS knows, and MySQL knows the user that the nodes name', () => {
    const known = SETTINGS.flatMap(({ env }) => env)
    const ofImage = [...lastStage.matchAll(/^ENV (HYSAS_\w+)=/gm)].map(([, name]) => name ?? '')
    for (const { environment } of [nodeA, nodeB]) {
      for (const name of [...Object.keys(environment), ...ofImage]) expect(known).toContain(name)
      const { databaseUrl, redisUrl } = resolveSettings({ env: environment, cwd: '/fleet' })
      const { MYSQL_USER, MYSQL_PASSWORD, MYSQL_DATABASE } = mysql.environment
      expect(databaseUrl).toBe(`mysql://${MYSQL_USER}:${MYSQL_PASSWORD}@mysql:3306/${MYSQL_DATABASE}`)
      expect(redisUrl).toBe('redis://redis:6379')
    }
  })
})

describe('the Dockerfile', () => {
  it('builds in one stage and runs in another, from a slim image, not as root', () => {
    expect(dockerfile.match(/^FROM node:20-slim/gm)).toHaveLength(2)
    expect(dockerfile).toMatch(/npm ci --ignore-scripts/)
    expect(inDockerfile('USER')).toBe('node')
    expect(lastStage.indexOf('USER node')).toBeLessThan(lastStage.indexOf('CMD ["hysas"'))
  })

  it('copies what is there', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(
      ([, names]) => names?.split(' ') ?? [],
    )
    for (const name of copied) expect(() => readFileSync(join(ROOT, name))).not.toThrow('ENOENT')
  })
})

describe('what the container files run', () => {
  let redisServer: Running
  let redisPort: number
  const nodes: ChildProcess[] = []

  beforeAll(async () => {
    const [program, ...args] = redis.command ?? []
    redisPort = await freePort()
    const own = ['--port', String(redisPort), '--bind', '127.0.0.1', '--dir', temporaryFolder()]
    redisServer = run(findProgram(program ?? '') ?? '', [...args, ...own])
    await until(async () => (await connectRedis(`redis://127.0.0.1:${redisPort}`).ping()) === 'PONG')
  })

  afterAll(async () => {
    for (const node of nodes) node.kill('SIGKILL')
    await redisServer.stop()
  })

  it('is a Redis that keeps its data and throws nothing away, by whose health check it is healthy', async () => {
    const client = connectRedis(`redis://127.0.0.1:${redisPort}`)
    expect(await client.config('GET', 'appendonly')).toEqual(['appendonly', 'yes'])
    expect(await client.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction'])
    const [, command = '', ...args] = redis.healthcheck?.test ?? []
    const { stdout } = await promisify(execFile)(command, ['-p', String(redisPort), ...args])
    expect(stdout).toBe('PONG\n')
  })

  it('is two nodes that find each other, are healthy by their own check, and end in order', {
    timeout: 180_000,
  }, async () => {
    const databaseUrl = await mysqlUrl()
    const bin = temporaryFolder()
    symlinkSync(join(ROOT, 'dist/cli/main.js'), join(bin, 'hysas'))
    const imageEnv = Object.fromEntries(
      [...lastStage.matchAll(/^ENV (\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
    )
    const started = await Promise.all(
      [nodeA, nodeB].map(async (service) => {
        const fleet = temporaryFolder()
        mkdirSync(join(fleet, 'data'))
        const port = await freePort()
        const env = {
          ...imageEnv,
          ...service.environment,
          PATH: [bin, dirname(process.execPath), process.env.PATH].join(delimiter),
          HYSAS_TEST_RUN: process.env.HYSAS_TEST_RUN,
          HYSAS_DATA_DIR: join(fleet, 'data'),
          HYSAS_REDIS_URL: `redis://127.0.0.1:${redisPort}`,
          HYSAS_DATABASE_URL: databaseUrl,
          HYSAS_PORT: String(port),
        }
        const [command = '', ...args] = JSON.parse(inDockerfile('CMD')) as string[]
        const child = spawn(command, args, { cwd: fleet, env, stdio: ['ignore', 'ignore', 'pipe'] })
        nodes.push(child)
        let said = ''
        child.stderr.on('data', (chunk: Buffer) => {
          said += chunk
        })
        child.once('exit', (code) => code && console.error(said))
        return { child, env, port }
      }),
    )

    const env = started[0]?.env
    const names = async () => {
      const { stdout } = await promisify(execFile)(join(bin, 'hysas'), ['nodes', '--json'], { env })
      return (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name).sort()
    }
    const both = async () => (await names()).join() === 'node-a,node-b'
    await until(both, { timeoutMs: 60_000, everyMs: 200, what: 'both nodes are up' })

    const check = JSON.parse(lastStage.match(/^HEALTHCHECK .* CMD (.*)$/m)?.[1] ?? '') as string[]
    for (const { port } of started) {
      const command = check.map((word) => word.replace('127.0.0.1:3200', `127.0.0.1:${port}`))
      await until(() => promisify(execFile)(command[0] ?? '', command.slice(1)), {
        timeoutMs: 60_000,
        what: 'the health check passes',
      })
    }

    const signal = inDockerfile('STOPSIGNAL') as NodeJS.Signals
    const ended = started.map(({ child }) => new Promise((resolve) => child.once('exit', resolve)))
    const began = Date.now()
    for (const { child } of started) child.kill(signal)
    expect(await Promise.all(ended)).toEqual([0, 0])
    expect(Date.now() - began).toBeLessThan(Number.parseInt(nodeA.stop_grace_period, 10) * 1000)
  })
})
