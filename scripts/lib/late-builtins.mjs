import { createRequire } from 'node:module'

/** Parts of Node that take a millisecond or more to load, and that most commands never come to use. */
const LATE = ['child_process', 'crypto', 'tls', 'assert', 'worker_threads', 'perf_hooks']

/** Loads those only when something of them is asked for. */
export const lateBuiltins = {
  name: 'late builtins',
  setup(build) {
    const require = createRequire(import.meta.url)
    build.onResolve({ filter: new RegExp(`^(node:)?(${LATE.join('|')})$`) }, ({ path, namespace }) =>
      namespace === 'late' ? { path, external: true } : { path: path.replace('node:', ''), namespace: 'late' },
    )
    build.onLoad({ filter: /.*/, namespace: 'late' }, ({ path }) => ({
      contents: `for (const name of ${JSON.stringify(Object.keys(require(path)))})
  Object.defineProperty(exports, name, { enumerable: true, get: () => require('node:${path}')[name] })`,
      loader: 'js',
    }))
  },
}
