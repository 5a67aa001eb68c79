// Installs what is missing and builds: `node scripts/setup.mjs [--test | --quick]`. Quick when there is nothing to do.
// `--test` also brings what the tests need: a MariaDB server and Chromium. Only old syntax here, so that the first
// import can tell an old Node that it is too old.
import './node-version.cjs'

import('./lib/setup.mjs')
  .then(({ setup }) => setup({ test: process.argv.includes('--test') }))
  .then((done) => {
    if (!done) process.exitCode = 1
  })
