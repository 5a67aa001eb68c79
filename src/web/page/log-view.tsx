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
  const [lines, setLines] = useState<LogLine[]>([])
  const [paused, setPaused] = useState(false)
  const waiting = useRef<LogLine[]>([])
  const take = useCallback((data: unknown) => {
    waiting.current = merged(waiting.current, data as LogLine[])
  }, [])
  const { state, dropped } = useStream(`/workers/${nickname}/logs/stream`, 'lines', take)
  // drawn a few times a second, however fast lines come
  useEffect(() => {
    if (paused) return
    const timer = setInterval(() => setLines(waiting.current), 200)
    return () => clearInterval(timer)
  }, [paused])

  const least = LEVELS.indexOf(level as LogLine['level'])
  const shown = lines.filter((line) => LEVELS.indexOf(line.level) >= least)
  const missed = paused ? waiting.current.filter(({ id }) => id > (lines.at(-1)?.id ?? '')).length : 0
  const box = useRef<HTMLElement>(null)
  const atEnd = useRef(true)
  useEffect(() => {
    if (box.current && atEnd.current) box.current.scrollTop = box.current.scrollHeight
  }, [shown.length, lines])
  return (
    <section aria-labelledby="log">
      <div class="section-head">
        <h2 id="log">Log</h2>
        <span class="faint">
          {paused ? `paused${missed ? `, ${missed} new` : ''}` : state === 'live' ? 'live' : `${state}…`}
          {dropped > 0 && `, ${count(dropped)} came too fast and are missing`}
        </span>
        <select
          aria-label="Least level"
          value={level}
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
      {shown.length === 0 ? (
        <p class="empty">{lines.length ? 'No line of that level.' : 'The log is empty.'}</p>
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
          {shown.map((line) => (
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
function merged(lines: LogLine[], more: readonly LogLine[]): LogLine[] {
  const known = new Set(lines.map(({ id }) => id))
  return [...lines, ...more.filter(({ id }) => !known.has(id))].slice(-KEPT)
}
