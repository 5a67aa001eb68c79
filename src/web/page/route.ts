import { useEffect, useState } from 'preact/hooks'

export const VIEWS = ['fleet', 'flow', 'nodes', 'events', 'worker'] as const
export type View = (typeof VIEWS)[number]

/** What the address says: `#/worker/gate-1?level=warn`. Behind the hash, so that one page is right under any base path. */
export interface Route {
  view: View
  /** Of a worker; else empty. */
  name: string
  query: URLSearchParams
}

export function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  const [first = '', ...rest] = path.split('/')
  const name = decoded(rest.join('/'))
  const view = VIEWS.find((one) => one === first) ?? 'fleet'
  return { view: view === 'worker' && !name ? 'fleet' : view, name, query: new URLSearchParams(query) }
}

export function hrefOf(view: View, name = '', query: Record<string, string> = {}): string {
  const kept = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ''))
  const text = kept.toString()
  return `#/${view}${name && `/${encodeURIComponent(name)}`}${text && `?${text}`}`
}

/** Goes to an address; `quietly` without a step for the back button. */
export function go(href: string, quietly = false): void {
  if (href === location.hash) return
  if (quietly) history.replaceState(history.state, '', href)
  else history.pushState(null, '', href)
  dispatchEvent(new HashChangeEvent('hashchange'))
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => routeOf(location.hash))
  useEffect(() => {
    const read = () => setRoute(routeOf(location.hash))
    addEventListener('hashchange', read)
    return () => removeEventListener('hashchange', read)
  }, [])
  return route
}

/** Changes some of the query of the present address; an empty value takes it out. */
export function setQuery(change: Record<string, string>, quietly = true): void {
  const { view, name, query } = routeOf(location.hash)
  go(hrefOf(view, name, { ...Object.fromEntries(query), ...change }), quietly)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
