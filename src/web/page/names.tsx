import type { Fleet } from './fleet.js'
import { clean } from './format.js'
import { hrefOf } from './route.js'

interface NamesProps {
  /** Nicknames and channels. */
  names: readonly string[]
  fleet: Fleet
  /** Said where there is none. */
  otherwise: string
  most?: number
}

/** Those that are workers, or a worker's own channel, lead to it. */
export function Names({ names, fleet, otherwise, most = 12 }: NamesProps) {
  if (names.length === 0) return <em>{otherwise}</em>
  return (
    <>
      {names.slice(0, most).map((name, i) => {
        const of = name.split('.')
        const nickname = of.at(-1) === 'Pub' ? (of.at(-2) ?? '') : name
        return (
          <span key={name}>
            {i > 0 && ', '}
            {fleet.workers.has(nickname) ? <a href={hrefOf('worker', nickname)}>{clean(nickname)}</a> : clean(name)}
          </span>
        )
      })}
      {names.length > most && ` and ${names.length - most} more`}
    </>
  )
}
