import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { page } from './sections.js'

const ROOT = join(import.meta.dirname, '../..')
const text = page('internals.md')
const files = [...new Set([...text.matchAll(/`(src\/[\w/.-]+\.ts)`/g)].map(([, file]) => file ?? ''))]
const SCRIPTS = [
  ...[
    'fleet-scripts',
    'run-scripts',
    'submit-scripts',
    'publish-scripts',
    'record-scripts',
    'lock-scripts',
    'restore-scripts',
    'alert-scripts',
  ].map((name) => `src/redis/${name}.ts`),
]

describe('docs/internals.md', () => {
  it.each(files)('names %s, which is there', (file) => {
    expect(existsSync(join(ROOT, file))).toBe(true)
  })

  it('names a function only where the file beside it has it', () => {
    const wrong = [...text.matchAll(/`(\w+)` in\s+`(src\/[\w/.-]+\.ts)`/g)].filter(
      ([, name = '', file = '']) => !new RegExp(`\\b${name}\\b`).test(readFileSync(join(ROOT, file), 'utf8')),
    )
    expect(wrong.map(([all]) => all)).toEqual([])
  })

  it.each([
    'admit',
    'claim',
    'beat',
    'publishFenced',
    'recordFenced',
    'finish',
    'settleStopped',
    'mayCheckStalls',
    'keepLocks',
    'restoreWorker',
    'adoptJob',
    'leaseAlerts',
    'beatNode',
    'removeNode',
    'addCommand',
  ])('names the script %s, which there is', (script) => {
    expect(text).toContain(`\`${script}\``)
    const all = SCRIPTS.map((file) => readFileSync(join(ROOT, file), 'utf8')).join('\n')
    expect(all).toMatch(new RegExp(`export async function ${script}\\b`))
  })
})
