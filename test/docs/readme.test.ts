import { describe, expect, it } from 'vitest'
import { page } from './sections.js'

describe.each(['README.md', 'README.zh-CN.md'])('%s', (name) => {
  it('has the package installed in a folder before its program is called there: npx would ask the registry', () => {
    const text = page(`../${name}`)
    const blocks = [...text.matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) => block)
    const init = blocks.filter((block) => block.includes('npx hysas init'))
    expect(init).toHaveLength(1)
    expect(init[0]).toMatch(/npm install \S*hysas-\S+\.tgz\n(.*\n)*npx hysas init/)
    expect(text.indexOf('npx hysas')).toBeGreaterThan(text.search(/npm install \S*hysas-\S+\.tgz/))
    expect(text.split('npx hysas init')).toHaveLength(2)
  })
})
