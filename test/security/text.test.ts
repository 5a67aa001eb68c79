import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { openStore } from '../../src/store/store.js'
import type { StoredEvent } from '../../src/store/types.js'
import { removeFolder, temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { clientOf, startNode } from '../helpers/node.js'
import { redisUrl } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js')
/** Clears the screen, forges a line, sets the title, links, and turns the writing around. */
const NASTY = 'a\u001b[2J\u001b]0;owned\u0007\nlevel=info forged\r\u009b31m\u202egnp\u0000'
// biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for them
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/

describe('what a terminal or a log shows', () => {
  it('holds no control characters and no forged line of messages, errors, names and progress', {
    timeout: 90_000,
  }, async () => {
    const ns = namespace()
    const folder = join(temporaryFolder('hysas-text'), 'processors')
    mkdirSync(folder)
    writeFileSync(
      join(folder, 'Nasty.ts'),
      `import { defineProcessor } from 'hysas'
const NASTY = ${JSON.stringify(NASTY)}
export default defineProcessor({
  description: NASTY,
  restart: { minDelayMs: 200 },
  async produce(ctx) {
    ctx.log.info({ field: NASTY }, NASTY)
    console.log(NASTY)
    ctx.progress({ at: NASTY })
    await ctx.events.record('alert', { source: NASTY, message: NASTY, data: { x: NASTY } })
    for (let i = 0; i < 20 && !ctx.signal.aborted; i++) { await ctx.publish(NASTY); await ctx.sleep(100) }
    throw new Error(NASTY)
  },
})
`,
    )
    const node = await startNode({ namespace: ns, processors: [folder] })
    const client = await clientOf(ns)
    for (const name of ['a\nb', 'a\u001b[2J', '-x', 'a b', 'ä', '', 'x'.repeat(64), '../x'])
      await expect(client.start('Nasty', name)).rejects.toMatchObject({ code: 'BAD_NICKNAME' })
    await client.start('Nasty', 'nasty')
    await until(async () => (await client.show('nasty')).restarts > 0)

    const env = { ...process.env, HYSAS_REDIS_URL: redisUrl(), HYSAS_NAMESPACE: ns, NO_COLOR: '1' }
    for (const words of [
      'list',
      'show nasty',
      'logs nasty',
      'types',
      'events',
      'nodes',
      'list --json',
      'logs nasty --json',
      'start Nasty b\u001b[2Jd',
    ]) {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [MAIN, ...words.split(' ')], {
        cwd: node.folder,
        env,
      }).catch((error: { stdout: string; stderr: string }) => error)
      for (const line of `${stdout}${stderr}`.split('\n')) {
        expect(line, words).not.toMatch(CONTROL)
        expect(line, words).not.toMatch(/^level=info forged/)
      }
    }
    for (const line of node.output().split('\n')) {
      expect(line).not.toMatch(/^level=info forged/)
      expect(line.replaceAll('\r', '')).not.toMatch(CONTROL)
    }
    // what lies in files is JSON, one line an entry
    const lines = readFileSync(join(node.folder, '.hysas/logs/nasty.log'), 'utf8').trimEnd().split('\n')
    for (const line of lines) expect(JSON.parse(line)).toHaveProperty('nickname', 'nasty')
  })
})

describe('the event store', () => {
  const folder = temporaryFolder('hysas-sql')
  afterAll(() => removeFolder(folder))
  const QUOTES = [
    "'",
    '"',
    '`',
    '\\',
    "\\'",
    "' OR '1'='1",
    "'; DROP TABLE hysas_events; --",
    '" OR ""="',
    "') UNION SELECT 1,2,3 --",
    '%',
    '_',
    "\u02bc' OR 1=1",
    '?',
    ':name',
    "1'/**/OR/**/1=1#",
  ]
  const event = (text: string, i: number): StoredEvent => ({
    ...{
      id: `1790000000${String(i).padStart(3, '0')}-0`,
      time: 1_790_000_000_000 + i,
      kind: `k${text}`,
      severity: 'info',
    },
    ...{
      type: `T${text}`,
      nickname: `n${text}`,
      node: '',
      epoch: null,
      source: text,
      message: text,
      data: { text },
      key: text,
    },
  })

  it('takes any quotes as text, in what is written and in what is asked for', async () => {
    const store = await openStore({ sqliteFile: join(folder, 'events.db') })
    try {
      const events = QUOTES.map(event)
      expect(await store.append(events)).toBe(events.length)
      for (const [i, text] of QUOTES.entries()) {
        for (const query of [{ source: text }, { kind: `k${text}` }, { nickname: `n${text}` }, { type: `T${text}` }]) {
          const found = await store.find(query)
          expect(found.map(({ message }) => message)).toEqual([text])
          expect(found[0]?.data).toEqual(events[i]?.data)
        }
        expect(await store.find({ severity: text, limit: 5 })).toEqual([])
      }
      expect((await store.find({})).length).toBe(events.length)
    } finally {
      await store.close()
    }
  })
})
