import { defineProcessor } from 'hysas'

/** Lives and beats; nothing else. One of many in a common child. */
export default defineProcessor({
  isolation: 'shared',
  start() {},
})
