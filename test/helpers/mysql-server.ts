import { execFile } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { type Connection, createConnection } from 'mysql2/promise'
import { removeFolder, temporaryFolder } from './folder.js'
import { findProgram, freePort, type Running, run } from './process.js'
import { until } from './until.js'

export interface MysqlServer {
  /** Of the database `test`, as root. */
  url: string
  port: number
  readonly pid: number
  /** Ends it for good and removes its folder. */
  stop(): Promise<void>
  /** SIGKILL; `restart` brings it back. */
  kill(): Promise<void>
  restart(): Promise<void>
}

/** Starts a private MariaDB on a free loopback port with a folder of its own; takes about three seconds. */
export async function startMysqlServer(further: readonly string[] = []): Promise<MysqlServer> {
  const program = findProgram('mariadbd')
  const install = findProgram('mariadb-install-db')
  if (!program || !install) {
    throw new Error(
      'The tests need mariadbd: `node scripts/setup.mjs --test` installs it (or set HYSAS_TEST_MYSQL_URL).',
    )
  }
  const folder = temporaryFolder('hysas-mariadb')
  const basedir = dirname(dirname(realpathSync(program)))
  const common = ['--no-defaults', `--basedir=${basedir}`, `--datadir=${join(folder, 'data')}`]
  await promisify(execFile)(install, [
    ...common,
    ...['--auth-root-authentication-method=normal', '--skip-test-db', `--user=${userInfo().username}`],
    '--innodb-log-file-size=8M',
  ])
  const port = await freePort()
  const launch = () => run(program, [...common, ...serverArguments(port, folder), ...further])
  let running = launch()
  await answers(running, port)
  return {
    url: `mysql://root@127.0.0.1:${port}/test`,
    port,
    get pid() {
      return running.pid
    },
    async stop() {
      await running.stop()
      removeFolder(folder)
    },
    kill: () => running.kill(),
    async restart() {
      await running.stop()
      running = launch()
      await answers(running, port)
    },
  }
}

function serverArguments(port: number, folder: string): string[] {
  return [
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    `--socket=${join(folder, 's')}`,
    `--pid-file=${join(folder, 'pid')}`,
    `--user=${userInfo().username}`,
    '--skip-name-resolve',
    '--skip-log-bin',
    '--innodb-buffer-pool-size=32M',
    '--innodb-log-file-size=8M',
    '--innodb-flush-log-at-trx-commit=0',
    '--performance-schema=off',
    '--max-connections=100',
  ]
}

async function answers(running: Running, port: number): Promise<void> {
  let gone = false
  running.exited.then(() => {
    gone = true
  })
  const connection = await until(
    async () => gone || (await createConnection({ host: '127.0.0.1', port, user: 'root' })),
    { timeoutMs: 30_000, everyMs: 50, what: 'MariaDB answers' },
  )
  if (gone) throw new Error(`mariadbd does not start:\n${running.output()}`)
  await (connection as Connection).query('CREATE DATABASE IF NOT EXISTS test')
  await (connection as Connection).end()
}
