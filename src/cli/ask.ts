import { createInterface } from 'node:readline/promises'

/** Asks a person a yes-or-no question. An end instead of an answer (Ctrl-C, Ctrl-D) is no. */
export async function ask(
  question: string,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): Promise<boolean> {
  const asked = createInterface({ input, output, terminal: true })
  try {
    const left = new Promise<undefined>((resolve) => asked.once('close', () => resolve(undefined)))
    const answered = asked.question(`${question} [y/N] `)
    const answer = await Promise.race([answered.catch(() => left), left]) // some versions of Node reject at the end
    if (answer === undefined) output.write('\n') // the cursor still stands behind the question
    return /^y(es)?$/i.test((answer ?? '').trim())
  } finally {
    asked.close()
  }
}
