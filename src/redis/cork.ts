import type { Redis } from 'ioredis'

/**
 * Has all that is sent in one turn written to the socket at once: ioredis writes each command by itself, and each write is
 * a system call, which costs more than all else of a command.
 */
export function corkWrites(redis: Redis): Redis {
  redis.on('connect', () => {
    const { stream } = redis
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean
    let corked = false
    const uncork = () => {
      corked = false
      stream.uncork()
    }
    stream.write = ((...args: unknown[]) => {
      if (!corked) {
        corked = true
        stream.cork()
        process.nextTick(uncork)
      }
      return write(...args)
    }) as typeof stream.write
  })
  return redis
}
