import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { LogLine } from '../../fleet/views.js'
import { useStream } from './follow.js'
import { clean, count } from './format.js'
import { setQuery } from './route.js'
import { SCROLLS } from './scrolls.js'
import { Time } from './time.js'

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
const KEPT = 1000

/** The log of a worker as it is written. */
export function LogView({ nickname, level }: { nickname: string; level: string }) {
  const [lines, setLines] = useState<readonly LogLine[]>()
  const [paused, setPaused] = useState(false)
  const waiting = useRef<readonly LogLine[]>()
  const box = useRef<HTMLElement>(null)
  const atEnd = useRef(true)
  const take = useCallback((data: unknown) => {
    waiting.current = merged(waiting.current ?? [], data as LogLine[])
  }, [])
  const least = LEVELS.find((one) => one === level)
  const path = `/workers/${nickname}/logs/stream${least ? `?level=${least}` : ''}`
  const { state, reason, dropped } = useStream(path, 'lines', take)
  // another level begins anew
  useEffect(() => {
    waiting.current = undefined
    atEnd.current = true
    setLines(undefined)
    setPaused(false)
  }, [path])
  // drawn a few times a second, however fast lines come
  useEffect(() => {
    if (paused) return
    const timer = setInterval(() => setLines(waiting.current), 200)
    return () => clearInterval(timer)
  }, [paused])

  const last = lines?.at(-1)?.id ?? ''
  const missed = (paused && waiting.current?.filter(({ id }) => id > last).length) || 0
  useEffect(() => {
    if (box.current && atEnd.current) box.current.scrollTop = box.current.scrollHeight
  }, [lines])
  return (
    <section aria-labelledby="log">
      <div class="section-head">
        <h2 id="log">Log</h2>
        <span class="faint">
          {paused
            ? `paused${missed ? `, ${missed} new` : ''}`
            : state === 'live' || state === 'refused'
              ? state
              : `${state}…`}
          {dropped > 0 && `, ${count(dropped)} came too fast and are missing`}
        </span>
        <select
          aria-label="Least level"
          value={least ?? ''}
          onChange={(event) => setQuery({ level: event.currentTarget.value })}
        >
          <option value="">All levels</option>
          {LEVELS.slice(1).map((one) => (
            <option key={one} value={one}>
              {one} and above
            </option>
          ))}
        </select>
        <button type="button" aria-pressed={paused} onClick={() => setPaused(!paused)}>
          {paused ? 'Go on' : 'Pause'}
        </button>
      </div>
      {reason && (
        <p class="form-error" role="alert">
          {clean(reason)}
        </p>
      )}
      {!lines?.length ? (
        !reason && (
          <p class="empty">{!lines ? 'Reading the log…' : least ? 'No line of that level.' : 'The log is empty.'}</p>
        )
      ) : (
        <section
          ref={box}
          class="log"
          {...SCROLLS}
          aria-label={`Log of ${nickname}`}
          onScroll={({ currentTarget: of }) => {
            atEnd.current = of.scrollHeight - of.scrollTop - of.clientHeight < 40
          }}
        >
          {lines.map((line) => (
            <div key={line.id} class={`line ${line.level}`}>
              <Time ms={line.time} short /> <b>{line.level}</b> {clean(line.msg)}
              <Fields of={line.fields} />
            </div>
          ))}
        </section>
      )}
    </section>
  )
}

/** What a line has beside its sentence; a stack as it is read. */
function Fields({ of: { stack, ...rest } }: { of: LogLine['fields'] }) {
  const others = typeof stack === 'string' ? rest : { ...rest, ...(stack !== undefined && { stack }) }
  return (
    <>
      {Object.keys(others).length > 0 && <span class="faint"> {clean(JSON.stringify(others))}</span>}
      {typeof stack === 'string' && <span class="stack">{clean(stack)}</span>}
    </>
  )
}

/** A connection that came back begins with lines that are there already. */
function merged(lines: readonly LogLine[], more: readonly LogLine[]): LogLine[] {
  const known = new Set(lines.map(({ id }) => id))
  return [...lines, ...more.filter(({ id }) => !known.has(id))].slice(-KEPT)
}
