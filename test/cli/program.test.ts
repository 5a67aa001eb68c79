import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import type { LogLine, WorkerView } from '../../src/fleet/views.js'
import { namesOf } from '../../src/redis/names.js'
import type { StoredEvent } from '../../src/store/types.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { alive } from '../helpers/process.js'
import { connectRedis, redisUrl } from '../helpers/redis.js'
import { until } from '../helpers/until.js'
import { type Node, program, start, up } from './real.js'

const ECHO = `import { defineProcessor } from 'hysas'
export default defineProcessor({
  description: 'Echo \\u001b[2J',
  operations: { say: { run: (ctx, args) => { ctx.log.info('said\\u001b[2J\\nforged'); return args } } },
})
`

const CHATTER = `import { defineProcessor } from 'hysas'
import { z } from 'zod'
export default defineProcessor({
  params: z.object({ lines: z.number(), name: z.string().optional() }),
  start: (ctx) => ctx.log.info('line 0'),
  operations: {
    talk: {
      run(ctx) {
        for (let n = 1; n <= ctx.params.lines; n++) ctx.log.info('line ' + n)
      },
    },
  },
})
`

const SWAMPED = `import { defineProcessor } from 'hysas'
export default defineProcessor({
  subscribe: { channel: 'swamp' },
  receiving: { limitMessages: 10 },
  receive: (ctx) => ctx.sleep(1e6),
})
`

describe('a node and its commands', () => {
  const cwd = temporaryFolder()
  let env: NodeJS.ProcessEnv
  let node: Node
  const hysas = (...argv: string[]) => program(argv, cwd, env)
  const listed = async (nickname: string) =>
    (JSON.parse((await hysas('list', '--json')).stdout) as WorkerView[]).find((worker) => worker.nickname === nickname)

  beforeAll(async () => {
    env = { HYSAS_REDIS_URL: redisUrl(), HYSAS_NAMESPACE: namespace(), HYSAS_NODE: 'first' }
    mkdirSync(join(cwd, 'processors'))
    mkdirSync(join(cwd, 'config'))
    writeFileSync(join(cwd, 'processors/Echo.ts'), ECHO)
    writeFileSync(join(cwd, 'config/quick.json'), '{"everyMs": 20}')
    writeFileSync(join(cwd, 'processors/Chatter.ts'), CHATTER)
    writeFileSync(join(cwd, 'processors/Swamped.ts'), SWAMPED)
    node = await up(cwd, env)
    await hysas('start', 'Demo', 'DemoName')
    await until(async () => (await hysas('start', 'Echo', 'echo')).code === 0)
  })

  it('up says where things are and what to type next', () => {
    const { stdout } = node.output()
    expect(stdout).toContain('first')
    expect(stdout).toContain('HYSAS_REDIS_URL')
    expect(stdout).toMatch(/http:\/\/127\.0\.0\.1:\d+\/login\?token=\S{20,}/)
    expect(stdout).toMatch(/processors.*Demo.*Echo/)
    expect(stdout).toContain('hysas start Demo DemoName')
  })

  it('start prints type, nickname, node, pid and epoch; a second one exits 1 and names the node', async () => {
    const first = await hysas('start', 'Demo', 'Another')
    expect(first).toMatchObject({ code: 0, stderr: expect.stringContaining('no config/Another.json') })
    expect(first.stdout).toMatch(/^started Demo Another on first, pid \d+, epoch \d+, [\d.]+ ms\n$/)
    const second = await hysas('start', 'Demo', 'Another', '--json')
    expect(second).toMatchObject({ code: 1, stdout: '' })
    expect(JSON.parse(second.stderr).error).toMatchObject({
      code: 'NAME_TAKEN',
      message: expect.stringContaining('first'),
    })
    expect(await hysas('stop', 'Another')).toMatchObject({ code: 0 })
    expect(await hysas('start', 'Demo', 'Another', '--json')).toMatchObject({ code: 0 })
  })

  it('start reads the parameters of config/<nickname>.json, and --set overrides them', async () => {
    expect(await hysas('start', 'Demo', 'quick.json')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('parameters from config/quick.json'),
    })
    expect((await listed('quick'))?.params).toEqual({ everyMs: 20 })
    await hysas('stop', 'quick')
    await hysas('start', 'Demo', 'quick', '--set', 'everyMs=30')
    expect((await listed('quick'))?.params).toEqual({ everyMs: 30 })
  })

  it('restart keeps the parameters; --set changes one, --config all', async () => {
    const params = async () => (await listed('rounds'))?.params
    await hysas('start', 'Chatter', 'rounds', '--set', 'lines=3', '--set', 'name=a')
    expect(await hysas('restart', 'rounds')).toMatchObject({ code: 0 })
    expect(await params()).toEqual({ lines: 3, name: 'a' })
    expect(await hysas('restart', 'rounds', '--set', 'lines=4')).toMatchObject({ code: 0 })
    expect(await params()).toEqual({ lines: 4, name: 'a' })
    expect(await hysas('restart', 'rounds', '--set', 'lines=many')).toMatchObject({ code: 2 })
    writeFileSync(join(cwd, 'five.json'), '{"lines": 5}')
    expect(await hysas('restart', 'rounds', '--config', 'five.json')).toMatchObject({ code: 0 })
    expect(await params()).toEqual({ lines: 5 })
    expect(await hysas('restart', 'rounds', '--config', 'none.json')).toMatchObject({ code: 2 })
    expect((await hysas('restart', 'nobody', '--set', 'lines=1')).stderr).toContain('UNKNOWN_WORKER')
    await hysas('stop', 'rounds')
  })

  it.each([
    [['start', 'Demoo', 'x'], 1, 'UNKNOWN_TYPE', '"Demo"'],
    [['start', 'Demo', 'x', '--set', 'everyMs=soon'], 2, 'BAD_PARAMS', 'everyMs'],
    [['start', 'Demo', 'x', '--config', 'none.json'], 2, 'BAD_CONFIG_FILE', 'none.json'],
    [['stop', 'nobody'], 1, 'UNKNOWN_WORKER', 'nobody'],
    [['show', 'DemoNam'], 1, 'UNKNOWN_WORKER', 'DemoName'],
    [['logs', 'nobody'], 1, 'UNKNOWN_WORKER', 'nobody'],
    [['send', 'nobody', 'say'], 1, 'UNKNOWN_WORKER', 'nobody'],
    [['stop', 'Monitor'], 1, 'PROTECTED_WORKER', 'Monitor'],
  ])('%j exits %i with %s', async (argv, code, error, said) => {
    const result = await hysas(...argv)
    expect(result).toMatchObject({ code, stdout: '' })
    expect(result.stderr).toContain(`error ${error}: `)
    expect(result.stderr).toContain(said)
    expect(result.stderr).toContain('→')
    expect(await listed('x')).toBeUndefined()
  })

  it('list shows the workers with every promised field and names the Redis asked', async () => {
    const { stderr, stdout } = await hysas('ps')
    expect(stderr).toContain(new URL(redisUrl()).host)
    expect(stdout).toMatch(/DemoName +Demo +started +first/)
    const demo = await listed('DemoName')
    for (const field of 'type nickname status node pid epoch heart_beat started_at published received'.split(' '))
      expect(demo).toHaveProperty(field)
    expect(JSON.parse((await hysas('list', '--type', 'Demo', '--status', 'failed', '--json')).stdout)).toEqual([])
  })

  it('types and nodes print what the design promises', async () => {
    const types = JSON.parse((await hysas('types', '--json')).stdout)
    const demo = types.find(({ type }: { type: string }) => type === 'Demo')
    for (const field of 'type kind isolation version file description params error'.split(' '))
      expect(demo).toHaveProperty(field)
    const [first] = JSON.parse((await hysas('nodes', '--json')).stdout)
    for (const field of 'name host pid workers capacity types started_at version'.split(' '))
      expect(first).toHaveProperty(field)
    expect((await hysas('types')).stdout).not.toContain('\x1b')
  })

  it('a broken processor is named by types', async () => {
    writeFileSync(join(cwd, 'processors/Broken.ts'), 'export default {')
    await until(async () => (await hysas('types')).stdout.includes('Broken is broken'))
  })

  it('send returns what the operation does; logs show its line, harmless', async () => {
    const sent = await hysas('send', 'echo', 'say', '{"a": 1}')
    expect(sent).toMatchObject({ code: 0 })
    expect(JSON.parse(sent.stdout)).toEqual({ a: 1 })
    const log = await until(async () => {
      const { stdout } = await hysas('logs', 'echo', '--since', '1m')
      return stdout.includes('said') && stdout
    })
    expect(log).toContain('said forged')
    expect(log).not.toContain('\x1b')
  })

  it('tail hears what publish says', async () => {
    const tail = start(['tail', 'somewhere', '-n', '1', '--json'], cwd, env)
    await until(async () => JSON.parse((await hysas('publish', 'somewhere', 'hello', '--json')).stdout).subscribers > 0)
    const { code, stdout } = await tail.ended
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ channel: 'somewhere', raw: 'hello' })
  })

  it('following a log ends with Ctrl-C, as a success', async () => {
    const logs = start(['logs', 'DemoName', '-f'], cwd, env)
    await until(() => logs.output().stdout.split('\n').length > 3)
    expect(await logs.end('SIGINT')).toMatchObject({ code: 0, stderr: '' })
  })

  it('list and show tell how many messages were dropped, by channel', async () => {
    await hysas('start', 'Swamped', 'swamped')
    const redis = connectRedis()
    await until(async () => (await redis.publish('swamp', 'x')) > 0)
    for (let n = 0; n < 50; n++) await redis.publish('swamp', 'x')
    const worker = await until(async () => {
      const found = await listed('swamped')
      return found && found.dropped >= 40 ? found : undefined
    })
    expect(worker.dropped_by).toEqual({ swamp: worker.dropped })
    expect((await hysas('show', 'swamped')).stdout).toContain(`coming too fast: ${worker.dropped} of swamp`)
    await hysas('stop', 'swamped')
  })

  it('a follower of a log gets all lines of a burst of 20,000, in order', async () => {
    await hysas('start', 'Chatter', 'chatter', '--set', 'lines=20000')
    const logs = start(['logs', 'chatter', '-f', '-n', '1', '--json'], cwd, env)
    await until(() => logs.output().stdout.includes('line 0"'))
    await hysas('send', 'chatter', 'talk')
    await until(() => logs.output().stdout.includes('line 20000"'))
    const { stdout, stderr } = await logs.end('SIGINT')
    const said = stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as LogLine).msg)
    expect(said).toEqual(Array.from({ length: 20_001 }, (_, n) => `line ${n}`))
    expect(stderr).toBe('')
    await hysas('stop', 'chatter')
  })

  it('a follower of a log that is too slow is told, in words, how many lines are missing', async () => {
    await hysas('start', 'Chatter', 'slowly', '--set', 'lines=30000')
    const redis = connectRedis()
    const readers = async () => String(await redis.client('LIST')).split('cmd=xread ').length
    const before = await readers()
    const logs = start(['logs', 'slowly', '-f', '-n', '1'], cwd, env)
    const told = () =>
      logs
        .output()
        .stdout.split('\n')
        .filter((line) => / line \d+$/.test(line)).length
    await until(async () => told() > 0 && (await readers()) > before) // it shows what there was before it follows
    logs.child.kill('SIGSTOP')
    await hysas('send', 'slowly', 'talk')
    await hysas('send', 'slowly', 'talk')
    const length = () => redis.xlen(namesOf(env.HYSAS_NAMESPACE).log('slowly'))
    await until(async () => (await length()) > 1000)
    await until(async () => (await length()) < 1200, { timeoutMs: 20_000, what: 'Redis has its memory back' })
    logs.child.kill('SIGCONT')
    const missing = () =>
      [...logs.output().stderr.matchAll(/^(\d+) lines? missing here: they came too fast/gm)].reduce(
        (sum, [, count]) => sum + Number(count),
        0,
      )
    // seldom: to look takes as long as to read all that was told
    await until(() => told() + missing() === 60_001, { timeoutMs: 40_000, everyMs: 500 })
    expect(missing()).toBeGreaterThan(0)
    expect(await logs.end('SIGINT')).toMatchObject({ code: 0 })
    await hysas('stop', 'slowly')
  })

  it('events tell of starts and commands, as text, JSON and CSV, and are followed', async () => {
    await until(async () => {
      const { stdout } = await hysas('events', '--kind', 'started', '--nickname', 'DemoName', '--json')
      return JSON.parse(stdout).length > 0
    })
    expect((await hysas('events', '--kind', 'command,started')).stdout).toMatch(/command +Demo DemoName/)
    const kept = async (...filters: string[]) =>
      JSON.parse((await hysas('events', '--json', '--limit', '1000', ...filters)).stdout) as StoredEvent[]
    const middle = (await kept('--type', 'Demo')).at(-1)?.time ?? 0
    const earlier = await kept('--until', new Date(middle - 1).toISOString())
    expect(earlier.length).toBeGreaterThan(0)
    expect(earlier.every(({ time }) => time < middle)).toBe(true)
    expect(new Set((await kept('--type', 'Demo')).map(({ type }) => type))).toEqual(new Set(['Demo']))
    expect((await kept('--severity', 'warning')).every(({ severity }) => severity === 'warning')).toBe(true)
    expect((await kept('--severity', 'info,warning')).length).toBeGreaterThan(0)
    expect(await kept('--kind', 'nothing, started')).toEqual(await kept('--kind', 'started'))
    expect(await hysas('events', '--severity', 'bad')).toMatchObject({ code: 2 })
    await until(async () => (await hysas('events', '--kind', 'command')).stdout.includes('say {"a":1}'))
    expect((await hysas('events', '--csv')).stdout).toMatch(/^id,time,kind,.*\r\n\d+-\d+,/)
    const whole = await hysas('events', '--all', '--json', '--type', 'Demo')
    expect(JSON.parse(whole.stdout)).toEqual(await kept('--type', 'Demo'))
    expect((await hysas('events', '--all', '--csv')).stdout).toMatch(/^id,time,kind,.*\r\n\d+-\d+,/)
    expect((await hysas('events', '--all', '--kind', 'nothing')).stderr).toContain('No such event')
    const following = start(['events', '-f', '--csv', '--kind', 'stopped', '--nickname', 'passing'], cwd, env)
    await hysas('start', 'Demo', 'passing')
    await hysas('stop', 'passing')
    await until(() => following.output().stdout.includes(',stopped,'))
    expect((await following.end('SIGINT')).stdout.match(/id,time/g)).toHaveLength(1)
  })

  it('show tells of the last crash, its signal, and what comes next', async () => {
    const worker = await listed('echo')
    process.kill(worker?.pid as number, 'SIGKILL')
    const text = await until(async () => {
      const { stdout } = await hysas('show', 'echo')
      return stdout.includes('SIGKILL') && stdout
    })
    expect(text).toMatch(/crashed after .* by SIGKILL/)
    expect(text).toMatch(/by itself\n +It /)
    const json = JSON.parse((await hysas('show', 'echo', '--json')).stdout)
    expect(json).toMatchObject({
      nickname: 'echo',
      next: expect.any(String),
      runs: expect.any(Array),
      log: expect.any(Array),
    })
  })

  it('several nicknames: all are done, the failed one is told, and the exit is 1', async () => {
    const { code, stdout, stderr } = await hysas('restart', 'echo', 'nobody', 'DemoName')
    expect(code).toBe(1)
    expect(stdout).toMatch(/restarted Echo echo .*\nrestarted Demo DemoName /)
    expect(stderr).toContain('UNKNOWN_WORKER')
    const stopped = await hysas('stop', 'echo', 'Another', '--json')
    expect(JSON.parse(stopped.stdout).map(({ nickname }: WorkerView) => nickname)).toEqual(['echo', 'Another'])
    expect(await hysas('stop', 'echo')).toMatchObject({ code: 0, stdout: expect.stringContaining('unchanged') })
  })

  it('restart --type restarts all of a type', async () => {
    const before = await listed('DemoName')
    expect(await hysas('restart', '--type', 'Demo')).toMatchObject({ code: 0 })
    expect((await listed('DemoName'))?.epoch).toBeGreaterThan(before?.epoch as number)
  })

  it('link prints the page again, and it opens', async () => {
    const { stdout } = await hysas('link')
    expect(node.output().stdout).toContain(stdout.trim())
    const answer = await fetch(stdout.trim(), { redirect: 'manual' })
    expect(answer.status).toBeLessThan(400)
  })

  it('a reader that leaves early is no error', () => {
    const main = join(import.meta.dirname, '../../dist/cli/main.js')
    const script = `"${process.execPath}" "${main}" types --json | head -c 10 >/dev/null; echo "\${PIPESTATUS[0]}"`
    const { stdout, stderr } = spawnSync('bash', ['-c', script], {
      cwd,
      encoding: 'utf8',
      env: { ...process.env, ...env },
    })
    expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' })
  })

  it('shutdown --forget wants to be sure', async () => {
    expect(await hysas('shutdown', '--forget')).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') })
    expect(node.child.exitCode).toBeNull()
  })

  it('shutdown ends the node; then list and start say that none is up', async () => {
    expect(await hysas('shutdown')).toMatchObject({ code: 0, stdout: 'ended 1 node: first\n' })
    expect(await node.ended).toMatchObject({ code: 0, signal: null })
    expect((await hysas('list')).stderr).toContain('No node is up')
    const refused = await hysas('start', 'Demo', 'late', '--timeout', '0.5')
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('NO_NODE') })
    expect(await hysas('shutdown', '--forget', '--yes')).toMatchObject({ code: 1 })
    const queued = await hysas('start', 'Demo', 'late', '--no-wait')
    expect(queued).toMatchObject({ code: 0, stdout: expect.stringContaining('queued') })
  })
})

describe('a node that brings its own Redis', () => {
  it('is found from a folder below; Ctrl-C ends node, workers and Redis, also when it comes twice at once', async () => {
    const cwd = temporaryFolder()
    const below = join(cwd, 'below')
    mkdirSync(below)
    const node = await up(cwd, {}, '--no-web')
    expect(await program(['start', 'Demo', 'DemoName'], below)).toMatchObject({ code: 0 })
    const [demo] = JSON.parse((await program(['list', '--type', 'Demo', '--json'], below)).stdout)
    node.child.kill('SIGINT')
    await sleep(30)
    const { code, stderr } = await node.end('SIGINT')
    expect(code, stderr).toBe(0)
    expect(alive(demo.pid)).toBe(false)
    expect(await program(['list'], cwd)).toMatchObject({ code: 1, stderr: expect.stringContaining('NO_REDIS_KNOWN') })
  }, 90_000)

  it('has what was wanted again after the next up', async () => {
    const cwd = temporaryFolder()
    const first = await up(cwd, {}, '--no-web')
    await program(['start', 'Demo', 'again', '--set', 'everyMs=50'], cwd)
    await first.end('SIGTERM')
    const second = await up(cwd, {}, '--no-web')
    const worker = await until(async () => {
      const list = JSON.parse((await program(['list', '--json'], cwd)).stdout) as WorkerView[]
      return list.find(({ nickname, status }) => nickname === 'again' && status === 'started')
    })
    expect(worker.params).toEqual({ everyMs: 50 })
    expect(await second.end('SIGINT')).toMatchObject({ code: 0 })
    // history is there without Redis and node
    expect((await program(['events', '--kind', 'started'], cwd)).stdout).toMatch(/started +Demo again/)
  }, 90_000)
})
