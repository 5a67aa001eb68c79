/** Texts of the files that `hysas init` and `hysas new` write. */

/** A processor that hears a channel and publishes what it makes of it. */
export const longRunning = (type: string) => `import { defineProcessor } from 'hysas'
import { z } from 'zod'

/** ${type}: hears texts, and publishes those that contain a word, with their number so far. */
export default defineProcessor({
  description: 'Publishes what it hears and contains a word.',
  params: z.object({
    hear: z.string().default('lines').describe('Channel to hear.'),
    word: z.string().default('error').describe('What a text must contain.'),
  }),
  subscribe: ({ params }) => ({ channel: params.hear }),
  async receive(ctx, message) {
    const text = String(message.data)
    if (!text.includes(ctx.params.word)) return
    ctx.log.info({ text }, 'found')
    await ctx.publish({ text, from: message.channel })
  },
  async beforeTermination(ctx, reason) {
    ctx.log.info(\`ends: \${reason}\`)
  },
})
`

/** A processor that does something every few seconds. */
export const repeatable = (type: string) => `import { defineProcessor } from 'hysas'
import { z } from 'zod'

/** ${type}: publishes the time, every five seconds. */
export default defineProcessor({
  description: 'Publishes a greeting with the time.',
  params: z.object({ greeting: z.string().default('It is').describe('Before the time.') }),
  every: '5s',
  async tick(ctx) {
    await ctx.publish(\`\${ctx.params.greeting} \${new Date().toISOString()}\`)
  },
})
`

export const packageScripts = { up: 'hysas up', test: 'hysas test', typecheck: 'tsc --noEmit' }

/** TypeScript as the nodes compile it: a bundler resolves the imports, and files stand alone. */
export const tsconfig = `{
  "compilerOptions": {
    "target": "ES2023",
    "lib": ["ES2023"],
    "module": "ESNext",
    "moduleResolution": "bundler",
    "strict": true,
    "noUncheckedIndexedAccess": true,
    "isolatedModules": true,
    "verbatimModuleSyntax": true,
    "skipLibCheck": true,
    "noEmit": true,
    "types": ["node"]
  },
  "include": ["processors"]
}
`

export const gitignore = `node_modules/
.hysas/
`

export const readme = (name: string, type: string, nickname: string) => `# ${name}

Workers of [HySAS](https://www.npmjs.com/package/hysas). Each file in \`processors/\` is a type of worker; the parameters of a worker are in
\`config/<nickname>.json\`.

\`\`\`sh
npx hysas up                         # a node; it brings its own Redis and database
npx hysas start ${type} ${nickname}           # in a second terminal
npx hysas tail ${nickname}                  # what it publishes, in a third
npx hysas publish lines 'an error'   # give it something to hear
npx hysas list
npx hysas stop ${nickname}
\`\`\`

Save \`processors/${type}.ts\` with a change, then \`npx hysas restart ${nickname}\`: the new version runs.
\`npx hysas new MyType\` writes another processor with its test; \`npm test\` runs all tests; \`npx hysas run ${type}\` runs one
processor in the foreground, without a node.
`
