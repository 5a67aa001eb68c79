import { readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, it } from 'vitest'
import { pruneLogs } from '../../src/node/retention.js'
import { namesOf } from '../../src/redis/names.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis } from '../helpers/redis.js'

it('log files that are old go, where the fleet knows no worker of that name, and no others', async () => {
  const [dir, redis, names] = [temporaryFolder('hysas-logs'), connectRedis(), namesOf(namespace())]
  const old = Date.now() / 1000 - 91 * 86_400
  const write = (file: string, at: number) => {
    writeFileSync(join(dir, file), 'a line\n')
    utimesSync(join(dir, file), at, at)
  }
  const gone = ['import-2026-08-01.log', 'import-2026-08-01.log.1', 'import-2026-08-01.log.12', 'renewed.log.2']
  const kept = ['known.log', 'known.log.1', 'notes.txt', 'my.own.log', '.log', 'import-2026-08-01.log.gz']
  for (const file of [...gone, ...kept]) write(file, old)
  write('renewed.log', old + 2 * 86_400)
  await redis.hset(names.worker('known'), 'wanted', '0')
  const of = { dir, redis, names, log: pino({ level: 'silent' }) }
  await pruneLogs(of, 0)
  expect(readdirSync(dir)).toHaveLength(gone.length + kept.length + 1)
  await pruneLogs(of, 90)
  expect(readdirSync(dir).sort()).toEqual([...kept, 'renewed.log'].sort())
})
