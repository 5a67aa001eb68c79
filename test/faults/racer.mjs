// A process of its own that gives commands at once: `racer.mjs <url> <namespace> <client module> [[method, ...args], ...]`.
// It says `ready`, waits for a line, and prints the outcomes as JSON: {ok} or {code}.
import { once } from 'node:events'
import { pathToFileURL } from 'node:url'

const [redisUrl, namespace, module, commands] = process.argv.slice(2)
const { createClient } = await import(pathToFileURL(module).href)
const client = await createClient({ redisUrl, namespace })
console.log('ready')
await once(process.stdin, 'data')
const outcomes = await Promise.all(
  JSON.parse(commands).map(async ([method, ...args]) => {
    try {
      return { ok: await client[method](...args) }
    } catch (error) {
      return { code: error.code ?? String(error) }
    }
  }),
)
console.log(JSON.stringify(outcomes))
await client.close()
process.stdin.destroy()
