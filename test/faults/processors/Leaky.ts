import { defineProcessor } from 'hysas'

const kept: unknown[] = []
const leak = (mb: number) => {
  for (let i = 0; i < mb; i++) kept.push(Array.from({ length: 65_000 }, (_, n) => n + 0.5))
}

export default defineProcessor({
  maxMemoryMb: 160,
  start() {},
  operations: {
    /** Between its other work, as most leaks are. */
    slowly: { run: () => void setInterval(() => leak(2), 20) },
    /** Without ever coming back: it can't watch itself. */
    atOnce: {
      run: () => {
        for (;;) leak(1)
      },
    },
  },
})
