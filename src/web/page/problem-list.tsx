import { clean, span } from './format.js'
import { hrefOf } from './route.js'
import { Time } from './time.js'
import type { Problem } from './worker-problems.js'

/** Shown at once; the others after a click. */
const FIRST = 6

/** What is wrong at `now`, Unix ms; nothing when all is well. */
export function Problems({ problems, now }: { problems: readonly Problem[]; now: number }) {
  if (problems.length === 0) return null
  const [first, rest] = [problems.slice(0, FIRST), problems.slice(FIRST, 200)]
  return (
    <section class="problems" aria-labelledby="problems">
      <h2 id="problems">Needs attention</h2>
      <ul>{first.map((problem) => itemOf(problem, now))}</ul>
      {rest.length > 0 && (
        <details>
          <summary>And {problems.length - FIRST} more</summary>
          <ul>{rest.map((problem) => itemOf(problem, now))}</ul>
        </details>
      )}
    </section>
  )
}

function itemOf({ id, grave, title, cause, next, nickname, since }: Problem, now: number) {
  return (
    <li key={id} class={grave ? 'grave' : ''}>
      <div class="what">
        <strong>{nickname ? <a href={hrefOf('worker', nickname)}>{clean(title)}</a> : clean(title)}</strong>
        {since !== null && (
          <span class="since">
            since <Time ms={since} /> ({span(Math.max(0, now - since) / 1000)})
          </span>
        )}
      </div>
      <p class="cause">{cause}</p>
      <p class="next">{next}</p>
    </li>
  )
}
