import { type Cli, Failures } from './cli.js'
import { jsonText, type Paint, painter } from './print.js'

/**
 * Does the same for several things at once, prints what came of each in the order given, and goes on when one fails.
 * With `--json` the results are one array.
 * @throws Failures with all errors
 */
export async function forEach<T, R>(
  cli: Cli,
  things: readonly T[],
  work: (thing: T) => Promise<R>,
  text: (result: R, paint: Paint) => string,
): Promise<void> {
  const settled = await Promise.allSettled([...new Set(things)].map(work))
  const results = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const errors = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  const paint = painter(cli.stdout, cli.env)
  if (cli.json) cli.stdout.write(`${jsonText(results, 2)}\n`)
  else for (const one of results) cli.stdout.write(`${text(one, paint)}\n`)
  if (errors.length) throw new Failures(errors)
}
