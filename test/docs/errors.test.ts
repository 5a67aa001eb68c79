import { describe, expect, it } from 'vitest'
import { CATALOGUE, type ErrorCode } from '../../src/errors.js'
import { page, sections } from './sections.js'

const described = sections(page('errors.md'), 3)
const codes = Object.keys(CATALOGUE) as ErrorCode[]

describe('docs/errors.md', () => {
  it('has one section for every code of the catalogue, and no other', () => {
    expect([...described.keys()].sort()).toEqual([...codes].sort())
  })

  it.each(codes)('tells exit code, status, sentence and remedy of %s as the catalogue has them', (code) => {
    const { exit, status, text, remedy } = CATALOGUE[code]
    const section = described.get(code) ?? ''
    expect(section).toContain(`Exit ${exit}, HTTP ${status}.`)
    expect(section).toContain(`> ${text}`)
    expect(section).toContain(`> → ${remedy}`)
  })

  it.each(codes)('says in its own words when %s comes', (code) => {
    const own = (described.get(code) ?? '').split('\n').filter((line) => line && !/^(>|Exit \d)/.test(line))
    expect(own.join(' ').length).toBeGreaterThan(40)
  })
})
