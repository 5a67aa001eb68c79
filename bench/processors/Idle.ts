import { defineProcessor } from 'hysas'

/** Lives and beats; nothing else. In a child of its own. */
export default defineProcessor({
  start() {},
})
