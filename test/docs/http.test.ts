import { describe, expect, it } from 'vitest'
import { routes } from '../../src/web/routes.js'
import { page, rows, sections } from './sections.js'

const described = sections(page('http.md'), 2)
const table = rows(described.get('Routes of the API') ?? '')
const given = routes.map(({ method, path, role, summary }) => [
  `\`${method.toUpperCase()} ${path}\``,
  role,
  summary,
  parametersOf({ method, path }),
])

describe('docs/http.md', () => {
  it('lists every route of the API as the code has it, and no other', () => {
    const byPath = (a: readonly string[], b: readonly string[]) => String(a[0]).localeCompare(String(b[0]))
    expect(table.sort(byPath)).toEqual(given.sort(byPath))
  })

  it('has the section that the error FORBIDDEN points at', () => {
    expect(described.has('Who may do what')).toBe(true)
  })
})

function parametersOf({ method, path }: { method: string; path: string }): string {
  const route = routes.find((one) => one.method === method && one.path === path)
  const names = [...Object.keys(route?.query?.shape ?? {}), ...Object.keys(route?.body?.shape ?? {})]
  return names.map((name) => `\`${name}\``).join(', ') || '—'
}
