import { defineProcessor } from 'hysas'

export default defineProcessor({
  graceSeconds: 3,
  start() {},
  beforeTermination: () => new Promise(() => {}),
})
