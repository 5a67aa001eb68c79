import { writeFileSync } from 'node:fs'

/** A reporter of vitest that leaves {passed, failed, skipped} in the file that HYSAS_TEST_COUNTS names. */
export default class CountReporter {
  onTestRunEnd(modules, errors) {
    const counts = { passed: 0, failed: errors.length, skipped: 0 }
    for (const module of modules) {
      const states = [...module.children.allTests()].map((test) => test.result().state)
      for (const state of states) if (state in counts) counts[state]++
      // A file that could not even be read, or whose hooks failed.
      if (module.state() === 'failed' && !states.includes('failed')) counts.failed++
    }
    if (process.env.HYSAS_TEST_COUNTS) writeFileSync(process.env.HYSAS_TEST_COUNTS, JSON.stringify(counts))
  }
}
