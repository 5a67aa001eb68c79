import { useEffect, useState } from 'preact/hooks'
import type { StoredEvent } from '../../store/types.js'
import { newestOf } from '../newest.js'
import { readEvents, wordsOf } from './api.js'
import type { Fleet } from './fleet.js'
import { useGaps } from './gaps.js'
import { useReturns } from './returns.js'

/** What has failed is tried again after, ms. */
const FAILED_MS = 3000

interface Read {
  /** Query that it answers. */
  of: string
  events?: StoredEvent[]
  /** Time of the newest that was read, Unix ms: of those before it the store knows best. */
  until: number
  error?: string
}

/**
 * The newest events of a query to the API, and those of the stream that it `takes`. They stay here: the stream's own list
 * is short and of all kinds. Read again where the stream may have left some out, and what fails until it succeeds.
 */
export function useEvents(
  fleet: Fleet,
  query: string,
  most: number,
  takes: (event: StoredEvent) => boolean,
): Pick<Read, 'events' | 'error'> {
  const [read, setRead] = useState<Read>(nothingOf(query))
  const returns = useReturns(fleet.link)
  const gaps = useGaps(fleet.events)
  useEffect(() => {
    const end = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const ask = () => {
      readEvents(`${query}&limit=${most}`, end.signal).then(
        (read) =>
          setRead((was) => {
            const events = newestOf(of(was, query).events ?? [], read, most).all
            return { ...nothingOf(query), events, until: read[0]?.time ?? 0 }
          }),
        (error: unknown) => {
          if (end.signal.aborted) return
          setRead((was) => ({ ...of(was, query), error: Object.values(wordsOf(error)).join(' ') }))
          timer = setTimeout(ask, FAILED_MS)
        },
      )
    }
    ask()
    return () => {
      end.abort()
      clearTimeout(timer)
    }
  }, [query, most, returns, gaps])
  useEffect(() => {
    setRead((was) => {
      const { events, until } = of(was, query)
      if (!events) return was
      const further = fleet.events.filter((event) => event.time >= until && takes(event))
      const { all, fresh } = newestOf(events, further, most)
      return fresh.length ? { ...was, events: all } : was
    })
  }, [fleet.events, read])
  return of(read, query)
}

const nothingOf = (query: string): Read => ({ of: query, until: 0 })
const of = (read: Read, query: string): Read => (read.of === query ? read : nothingOf(query))
