import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterAll } from 'vitest'

const releasers: (() => void)[] = []
afterAll(() => {
  for (const release of releasers.splice(0)) release()
})

export interface RedisProxy {
  url: string
  /** Where new connections lead; present ones stay where they are. */
  leadTo(port: number): void
  /** Every answer comes so much later, ms. */
  delay(ms: number): void
  /**
   * The next time that a request with this text in it comes, it is passed on, but its answer is not: the connection is closed
   * in its place. Resolves when that has happened.
   */
  cutAfter(text: string): Promise<void>
}

/** A TCP proxy to a Redis on a port of the loopback interface. Closed after the file's last test. */
export async function startProxy(port: number): Promise<RedisProxy> {
  let target = port
  let delayMs = 0
  let cut: { text: string; done(): void } | undefined
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    let cutting: (() => void) | undefined
    const close = () => {
      for (const socket of [near, far]) socket.destroy()
    }
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        close()
      })
    }
    near.on('data', (chunk) => {
      if (cut && chunk.includes(cut.text)) {
        cutting = cut.done
        cut = undefined
      }
      far.write(chunk)
    })
    far.on('data', (chunk) => {
      if (cutting) {
        close()
        cutting()
      } else if (delayMs) setTimeout(() => near.write(chunk), delayMs)
      else near.write(chunk)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  releasers.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadTo(port) {
      target = port
    },
    delay(ms) {
      delayMs = ms
    },
    cutAfter: (text) =>
      new Promise((done) => {
        cut = { text, done }
      }),
  }
}
