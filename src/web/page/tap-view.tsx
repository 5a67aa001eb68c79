import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { Tapped } from '../tap.js'
import { useStream } from './follow.js'
import { clean, count } from './format.js'
import { setQuery } from './route.js'
import { SCROLLS } from './scrolls.js'
import { Time } from './time.js'

type Message = Tapped['messages'][number] & { id: number }
/** In the place of messages that are missing: how many, or null where nobody knows. */
type Missed = { id: number; missed: number | null }
const KEPT = 100

/** What goes over a channel, as it goes; of a fast one a sample, and it says so. */
export function Tap({ channel }: { channel: string }) {
  const [shown, setShown] = useState<readonly (Message | Missed)[]>([])
  const [seen, setSeen] = useState({ count: 0, sampled: 0, resting: false })
  const [paused, setPaused] = useState(false)
  const isPaused = useRef(false)
  isPaused.current = paused
  const next = useRef(0)
  const take = useCallback((data: unknown) => {
    const { messages, seen, resting, missed } = data as Tapped
    if (isPaused.current) return
    const gap = missed === 0 ? [] : [{ missed }]
    const fresh = [...gap, ...messages].map((line) => ({ ...line, id: next.current++ })).reverse()
    setShown((all) => [...fresh, ...all].slice(0, KEPT))
    setSeen((was) => ({ count: was.count + seen, sampled: was.sampled + messages.length, resting }))
  }, [])
  const { state, reason, dropped } = useStream(`/tap?channel=${encodeURIComponent(channel)}`, 'messages', take)
  const panel = useRef<HTMLElement>(null)
  useEffect(() => panel.current?.scrollIntoView({ block: 'nearest' }), [])
  return (
    <section ref={panel} aria-labelledby="tap">
      <div class="section-head">
        <h2 id="tap">
          Tap <code>{clean(channel)}</code>
        </h2>
        <span class="faint">
          {paused ? 'paused' : state === 'live' || state === 'refused' ? state : `${state}…`}
          {seen.count > 0 && `, ${count(seen.sampled)} of ${count(seen.count)}${seen.resting ? ' and more' : ''} shown`}
          {dropped > 0 && `, ${count(dropped)} came too fast and are missing`}
        </span>
        <button type="button" aria-pressed={paused} onClick={() => setPaused(!paused)}>
          {paused ? 'Go on' : 'Pause'}
        </button>
        <button type="button" onClick={() => setQuery({ tap: '' })}>
          Close the tap
        </button>
      </div>
      {reason && (
        <p class="form-error" role="alert">
          {clean(reason)}
        </p>
      )}
      {shown.length === 0 ? (
        !reason && <p class="empty">Nothing has come yet.</p>
      ) : (
        <section class="log" {...SCROLLS} aria-label="Messages">
          {shown.map((line) => (
            <div key={line.id} class={'text' in line ? 'line' : 'line warn'}>
              {'text' in line ? <Content message={line} /> : <b>{wordsOf(line)}</b>}
            </div>
          ))}
        </section>
      )}
    </section>
  )
}

function Content({ message: { time, text, bytes, cut } }: { message: Message }) {
  return (
    <>
      <Time ms={time} short /> {clean(text)}
      {cut && <span class="faint"> … {count(bytes)} bytes</span>}
    </>
  )
}

function wordsOf({ missed }: Missed): string {
  if (missed === null) return 'some messages were missed: the connection to Redis was lost'
  return missed === 1 ? '1 message missed' : `${count(missed)} messages missed`
}
