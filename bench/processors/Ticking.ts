import { defineProcessor } from 'hysas'

/** Ticks that do nothing, as often as may be. */
export default defineProcessor({
  isolation: 'shared',
  every: 50,
  tick() {},
})
