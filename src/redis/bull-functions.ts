import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/**
 * One of BullMQ's own scripts, word for word, as a Lua function of its `KEYS` and `ARGV`: so that one call of Redis can do
 * for many jobs what BullMQ does for one.
 * @param keys how many it takes; with another number it is not the script that we know, and undefined is returned
 */
export function bullFunction(name: string, keys: number): string | undefined {
  try {
    const file = require(`bullmq/dist/cjs/scripts/${name}-${keys}.js`) as Record<string, { content?: string }>
    const content = file[name]?.content
    return content && `local function ${name}(KEYS, ARGV)\n${content}\nend\n`
  } catch {
    return undefined
  }
}
