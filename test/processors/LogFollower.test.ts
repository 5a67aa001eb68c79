import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { createHarness, type Harness } from 'hysas/testing'
import { afterEach, describe, expect, test } from 'vitest'
import LogFollower, { type LogLine } from '../../processors/LogFollower.js'
import { loadState } from '../../processors/lib/saved-state.js'
import { temporaryFolder } from '../helpers/folder.js'
import { namespace } from '../helpers/namespace.js'
import { connectRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

const workers: Harness[] = []
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.stop()
})

const newLog = () => join(temporaryFolder(), 'auth.log')
let epoch = 0
type Kept = { positions: { offset: number }[] }

interface Of {
  namespace?: string
  publish?: (data: unknown) => Promise<number>
}

function newFollower(file: string, params = {}, { namespace: space = namespace(), publish }: Of = {}): Harness {
  const settings = { file, from: 'start', pollMs: 10, lingerMs: 200, ...params }
  const redis = connectRedis()
  const worker = createHarness(LogFollower, { namespace: space, params: settings, redis, clock: 'real' })
  Object.assign(worker.ctx, { epoch: ++epoch, ...(publish ? { publish } : {}) })
  workers.push(worker)
  return worker
}

async function follow(file: string, params = {}, of: Of = {}): Promise<Harness> {
  const worker = newFollower(file, params, of)
  await worker.start()
  await until(() => worker.progress.length > 0)
  return worker
}

const linesOf = (worker: Harness) => worker.published.map(({ data }) => (data as LogLine).line)
const heard = (worker: Harness, lines: string[]) =>
  until(() => linesOf(worker).length >= lines.length).then(() => expect(linesOf(worker)).toEqual(lines))
const position = (worker: Harness) => worker.operation('position') as Promise<Record<string, unknown>>

describe('lines', () => {
  test('each line is published with its file and the time of reading', async () => {
    const file = newLog()
    writeFileSync(file, 'one\n')
    const worker = await follow(file)
    await heard(worker, ['one'])
    expect(worker.published[0]?.data).toEqual({ line: 'one', file, at: expect.closeTo(Date.now(), -4) })
  })

  test('a first run begins at the end, unless told otherwise', async () => {
    const file = newLog()
    writeFileSync(file, 'old\n')
    const worker = await follow(file, { from: 'end' })
    appendFileSync(file, 'new\n')
    await heard(worker, ['new'])
  })

  test('beginning at the end, the unfinished last line is heard whole', async () => {
    const file = newLog()
    writeFileSync(file, 'old\nhal')
    const worker = await follow(file, { from: 'end' })
    appendFileSync(file, 'f\n')
    await heard(worker, ['half'])
  })

  test('an unfinished line waits for its newline', async () => {
    const file = newLog()
    writeFileSync(file, 'a\nb')
    const worker = await follow(file)
    await heard(worker, ['a'])
    expect(await position(worker)).toMatchObject({ offset: 2, behind: 1 })
    appendFileSync(file, 'c\n')
    await heard(worker, ['a', 'bc'])
  })

  test('a last line that stays without a newline is published once, whether the newline comes later or not', async () => {
    const file = newLog()
    const of = { namespace: namespace() }
    writeFileSync(file, 'a\nlast')
    const worker = await follow(file, { unfinishedMs: 50 }, of)
    await heard(worker, ['a', 'last'])
    expect(await position(worker)).toMatchObject({ offset: 6, behind: 0 })
    await worker.stop()
    appendFileSync(file, '\nnext\n')
    await heard(await follow(file, { unfinishedMs: 50 }, of), ['next'])
  })

  test('an overlong line without a newline is cut and published once', async () => {
    const file = newLog()
    const of = { namespace: namespace() }
    writeFileSync(file, `a\n${'x'.repeat(500)}`)
    const worker = await follow(file, { unfinishedMs: 50, maxLineBytes: 100 }, of)
    await heard(worker, ['a', 'x'.repeat(100)])
    await worker.stop()
    appendFileSync(file, 'y\nnext\n')
    await heard(await follow(file, {}, of), ['y', 'next'])
  })

  test('line ends of Windows are taken off, and empty lines are lines', async () => {
    const file = newLog()
    writeFileSync(file, 'a\r\n\r\nb\n')
    await heard(await follow(file), ['a', '', 'b'])
  })

  test('an overlong line is cut and marked, and the next one is whole', async () => {
    const file = newLog()
    writeFileSync(file, `${'x'.repeat(300_000)}\nnext\n`)
    const worker = await follow(file, { maxLineBytes: 100 })
    await heard(worker, ['x'.repeat(100), 'next'])
    expect(worker.published[0]?.data).toMatchObject({ truncated: true })
    expect(worker.published[1]?.data).not.toHaveProperty('truncated')
  })

  test('ten thousand lines come at once, in order, and a bounded number of them is on its way', async () => {
    const file = newLog()
    const lines = Array.from({ length: 10_000 }, (_, n) => `line ${n}`)
    writeFileSync(file, `${lines.join('\n')}\n`)
    let underWay = 0
    let most = 0
    const published: string[] = []
    const publish = async (data: unknown) => {
      most = Math.max(most, ++underWay)
      published.push((data as LogLine).line)
      await new Promise(setImmediate)
      underWay--
      return 1
    }
    await follow(file, {}, { publish })
    await until(() => published.length >= lines.length)
    expect(published).toEqual(lines)
    expect(most).toBeLessThanOrEqual(500)
  })

  test('bytes of another encoding are read as it says', async () => {
    const file = newLog()
    writeFileSync(file, Buffer.from([0xe4, 0x0a]))
    await heard(await follow(file, { encoding: 'latin1' }), ['ä'])
  })
})

describe('a file that changes under its feet', () => {
  test('rotation by rename: the old file to its end, then the new one', async () => {
    const file = newLog()
    writeFileSync(file, 'a\n')
    const worker = await follow(file)
    await heard(worker, ['a'])
    appendFileSync(file, 'b\n')
    renameSync(file, `${file}.1`)
    writeFileSync(file, 'c\n')
    await heard(worker, ['a', 'b', 'c'])
  })

  test('rotation of a file that stayed empty, younger by its name than the one before it, publishes nothing again', async () => {
    const file = newLog()
    writeFileSync(file, 'a\n')
    const worker = await follow(file)
    await heard(worker, ['a'])
    renameSync(file, `${file}.1`)
    writeFileSync(file, '')
    utimesSync(file, 1, 1) // a quiet day: its writer still has the old one
    appendFileSync(`${file}.1`, 'b\n')
    await heard(worker, ['a', 'b'])
    await until(async () => (await position(worker)).offset === 0)
    renameSync(`${file}.1`, `${file}.2`)
    renameSync(file, `${file}.1`)
    writeFileSync(file, 'c\n')
    await heard(worker, ['a', 'b', 'c'])
  })

  test('what a slow writer still adds to the rotated file is heard', async () => {
    const file = newLog()
    writeFileSync(file, 'a\n')
    const worker = await follow(file)
    await heard(worker, ['a'])
    renameSync(file, `${file}.1`)
    writeFileSync(file, 'c\n')
    await heard(worker, ['a', 'c'])
    appendFileSync(`${file}.1`, 'late\nwithout newline')
    await heard(worker, ['a', 'c', 'late', 'without newline'])
  })

  test('copy and truncate: what was copied before we read it is read from the copy', async () => {
    const file = newLog()
    writeFileSync(file, 'a\n')
    const worker = await follow(file, { pollMs: 200 })
    await heard(worker, ['a'])
    appendFileSync(file, 'b\n')
    copyFileSync(file, `${file}.1`)
    truncateSync(file)
    appendFileSync(file, 'c\n')
    await heard(worker, ['a', 'b', 'c'])
  })

  test('a file that is emptied and grows past the old place is noticed', async () => {
    const file = newLog()
    writeFileSync(file, 'first line\n')
    const worker = await follow(file)
    await heard(worker, ['first line'])
    writeFileSync(file, 'second is longer\nthird\n')
    await heard(worker, ['first line', 'second is longer', 'third'])
  })

  test('a file that is emptied and filled again while its lines are on their way is noticed', async () => {
    const file = newLog()
    writeFileSync(file, 'first line\n')
    const published: string[] = []
    const publish = async (data: unknown) => {
      const { line } = data as LogLine
      published.push(line)
      if (line === 'first line') writeFileSync(file, 'second is longer\nthird\n')
      return 1
    }
    await follow(file, {}, { publish })
    await until(() => published.length >= 3)
    expect(published).toEqual(['first line', 'second is longer', 'third'])
  })

  test('a file that is filled again with another beginning of its last line is read from its start', async () => {
    const file = newLog()
    writeFileSync(file, 'an unfin')
    const worker = await follow(file)
    await until(async () => (await position(worker)).size === 8)
    writeFileSync(file, 'all is new here\n')
    await heard(worker, ['all is new here'])
  })

  test('a file that is not there yet is waited for and then read whole', async () => {
    const file = newLog()
    const worker = await follow(file, { from: 'end' })
    expect(await position(worker)).toMatchObject({ state: 'waiting' })
    writeFileSync(file, 'a\n')
    await heard(worker, ['a'])
    expect(await position(worker)).toMatchObject({ state: 'following', offset: 2 })
    expect(worker.logs.filter(({ level }) => level === 'warn')).toHaveLength(1)
  })

  test('a file that is away for a while goes on from its start when it is made anew', async () => {
    const file = newLog()
    writeFileSync(file, 'a\n')
    const worker = await follow(file)
    await heard(worker, ['a'])
    rmSync(file)
    await until(async () => (await position(worker)).state === 'waiting')
    writeFileSync(file, 'b\n')
    await heard(worker, ['a', 'b'])
  })

  test('a directory is refused as a parameter', async () => {
    const started = newFollower(temporaryFolder()).start()
    await expect(started).rejects.toMatchObject({
      code: 'BAD_PARAMS',
      message: expect.stringContaining('no ordinary file'),
    })
  })
})

describe('a restart', () => {
  /** Reads `before`, stops, lets `between` happen, and starts again. */
  async function restarted(file: string, before: string, between: () => void) {
    const of = { namespace: namespace() }
    writeFileSync(file, before)
    const first = await follow(file, {}, of)
    await until(async () => (await position(first)).behind === 0)
    await first.stop()
    between()
    return follow(file, {}, of)
  }

  test('goes on at the next line: none lost, none twice', async () => {
    const file = newLog()
    const worker = await restarted(file, 'a\nb\n', () => appendFileSync(file, 'c\n'))
    await heard(worker, ['c'])
  })

  test('an unfinished line is neither cut nor lost', async () => {
    const file = newLog()
    const of = { namespace: namespace() }
    writeFileSync(file, 'a\nhal')
    const first = await follow(file, {}, of)
    await heard(first, ['a'])
    await first.stop()
    appendFileSync(file, 'f\n')
    await heard(await follow(file, {}, of), ['half'])
  })

  test('after rotations meanwhile it reads the rest of the old file and all files since', async () => {
    const file = newLog()
    const worker = await restarted(file, 'a\n', () => {
      appendFileSync(file, 'b\n')
      renameSync(file, `${file}.2`)
      writeFileSync(`${file}.1`, 'c\n')
      writeFileSync(file, 'd\n')
    })
    await heard(worker, ['b', 'c', 'd'])
  })

  test('after a copy-and-truncate meanwhile it goes on in the copy', async () => {
    const file = newLog()
    const worker = await restarted(file, 'a\n', () => {
      appendFileSync(file, 'b\n')
      copyFileSync(file, `${file}.1`)
      truncateSync(file)
      appendFileSync(file, 'c\n')
    })
    await heard(worker, ['b', 'c'])
  })

  test('a file that was made anew meanwhile is read from its start, also with the same inode', async () => {
    const file = newLog()
    const worker = await restarted(file, 'a\n', () => {
      rmSync(file)
      writeFileSync(file, 'b\nc\n')
    })
    await heard(worker, ['b', 'c'])
  })

  test('another file under the same nickname begins anew', async () => {
    const of = { namespace: namespace() }
    const [one, two] = [newLog(), newLog()]
    writeFileSync(one, 'a\n')
    writeFileSync(two, 'b\n')
    const first = await follow(one, {}, of)
    await heard(first, ['a'])
    await first.stop()
    await heard(await follow(two, {}, of), ['b'])
  })

  test('a run that was overtaken does not set back the position of the later one', async () => {
    const of = { namespace: namespace() }
    const file = newLog()
    writeFileSync(file, 'a\n')
    const overtaken = await follow(file, {}, of)
    await until(async () => ((await loadState(overtaken.ctx)) as Kept).positions[0]?.offset === 2)
    appendFileSync(file, 'b\n')
    const later = await follow(file, {}, of)
    await heard(later, ['b'])
    await later.stop()
    await overtaken.stop()
    appendFileSync(file, 'c\n')
    const last = await follow(file, {}, of)
    await heard(last, ['c'])
  })

  test('files beside the log that are no parts of it are left alone', async () => {
    const file = newLog()
    mkdirSync(`${file}.1`)
    writeFileSync(`${file}.bak`, 'not this\n')
    const worker = await restarted(file, 'a\n', () => {
      rmSync(file)
      writeFileSync(file, 'b\n')
    })
    await heard(worker, ['b'])
  })
})
