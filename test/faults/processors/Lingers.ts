import { writeFileSync } from 'node:fs'
import { defineProcessor } from 'hysas'

export default defineProcessor({
  graceSeconds: 3,
  start() {},
  async beforeTermination() {
    writeFileSync('bye', '') // in the node's working folder
    await new Promise(() => {})
  },
})
