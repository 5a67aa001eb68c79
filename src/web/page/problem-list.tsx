import type { Problem } from './problems.js'

/** What is wrong; nothing when all is well. */
export function Problems({ problems }: { problems: readonly Problem[] }) {
  if (problems.length === 0) return null
  return (
    <section class="problems" aria-labelledby="problems">
      <h2 id="problems">Needs attention</h2>
      <ul>
        {problems.slice(0, 50).map(({ id, grave, title, cause, next }) => (
          <li key={id} class={grave ? 'grave' : ''}>
            <strong>{title}</strong>
            <p class="cause">{cause}</p>
            <p class="next">{next}</p>
          </li>
        ))}
      </ul>
      {problems.length > 50 && <p>And {problems.length - 50} more.</p>}
    </section>
  )
}
