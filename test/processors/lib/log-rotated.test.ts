import { utimesSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { rotatedFiles } from '../../../processors/lib/log-rotated.js'
import { temporaryFolder } from '../../helpers/folder.js'

/** Makes the files, last changed a second one after the other, and gives the order in which they are read. */
async function orderOf(...endings: string[]): Promise<string[]> {
  const file = join(temporaryFolder(), 'auth.log')
  endings.forEach((ending, i) => {
    writeFileSync(file + ending, '')
    utimesSync(file + ending, 1000 + i, 1000 + i)
  })
  return (await rotatedFiles(file)).map(({ path }) => basename(path).slice('auth.log'.length))
}

test('numbers tell the order of rotated files, whenever they were changed', async () => {
  expect(await orderOf('.1', '.10', '.2', '.bak', '.1.gz', '')).toEqual(['.10', '.2', '.1'])
})

test('dates tell the order of rotated files, also with a time or number after them', async () => {
  const dated = ['-20261122-2', '-20261121', '-20261122-10', '-20261122', '-20261030']
  expect(await orderOf(...dated)).toEqual(['-20261030', '-20261121', '-20261122', '-20261122-2', '-20261122-10'])
})

test('where the way of naming was changed, the last change decides between the two', async () => {
  expect(await orderOf('.2', '.1', '-20261121', '-20261122')).toEqual(['.2', '.1', '-20261121', '-20261122'])
  expect(await orderOf('-20261121', '-20261122', '.1', '.2')).toEqual(['-20261121', '-20261122', '.2', '.1'])
})
