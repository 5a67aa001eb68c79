import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/**
 * Conventions: `*.mysql.test.ts` needs MariaDB, `test/browser/` needs Chromium; `npm run test:quick` leaves both out.
 */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^hysas$/, replacement: source('src/index.ts') },
      { find: /^hysas\/testing$/, replacement: source('src/testing.ts') },
      { find: /^hysas\/client$/, replacement: source('src/client.ts') },
      { find: /^hysas\/monitor$/, replacement: source('src/monitor/watch.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/helpers/global-setup.ts'],
    pool: 'forks',
    // more than the cores of a small machine: most tests wait most of the time
    maxWorkers: process.env.CI ? 2 : 3,
    testTimeout: 90_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    dangerouslyIgnoreUnhandledErrors: false,
    reporters: ['default'],
  },
})
