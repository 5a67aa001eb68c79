import { pathToFileURL } from 'node:url'
import type { ProbeReport } from '../protocol.js'
import { definitionOf } from './definition.js'
import { manifestOf } from './manifest.js'

/** What the file may do to `process` while it is imported must not keep us from answering. */
const send = process.send?.bind(process)
const exit = process.exit.bind(process)

if (send) {
  const tell = (report: ProbeReport) => send(report, () => exit(0))
  process.once('disconnect', () => exit(1))
  process.channel?.unref() // so that we notice when nothing is left that could end the waiting
  process.once('beforeExit', () => tell({ hysas: 'probe', reason: 'it waits at the top level for what never comes' }))
  void look(process.argv[2] ?? '').then(tell)
}

async function look(bundle: string): Promise<ProbeReport> {
  let module: unknown
  try {
    module = await import(pathToFileURL(bundle).href)
  } catch (thrown) {
    return { hysas: 'probe', reason: `it throws when it is imported: ${describe(thrown)}` }
  }
  try {
    return { hysas: 'probe', manifest: manifestOf(definitionOf(module)) }
  } catch (thrown) {
    return { hysas: 'probe', reason: thrown instanceof Error ? thrown.message : String(thrown) }
  }
}

/** `Error: no such file (at /path/Demo.ts:3:9)`: the first line of the stack that is the user's own code. */
function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const places = [...(thrown.stack ?? '').matchAll(/^ {4}at (?:.*\()?(?:file:\/\/)?(\/.*?:\d+:\d+)\)?$/gm)]
    .map(([, place]) => place ?? '')
    .filter((place) => place !== '' && !place.startsWith(__filename))
  const place = places.find((one) => !one.includes('/node_modules/')) ?? places[0]
  return `${thrown.name}: ${thrown.message}${place ? ` (at ${place})` : ''}`
}
