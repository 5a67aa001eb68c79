import { AsyncLocalStorage } from 'node:async_hooks'

/** One virtual child of a common child. */
export interface Inhabitant {
  readonly n: number
}

const store = new AsyncLocalStorage<Inhabitant>()

/** In a common child: whose code runs now, through all that it awaits, its timers and its sockets. */
export const whose = (): Inhabitant | undefined => store.getStore()

/** Calls `work` as this one's code. */
export const as = <Result>(one: Inhabitant, work: () => Result): Result => store.run(one, work)

/** Calls `work` as nobody's code: what it opens is everybody's. */
export const asNobody = <Result>(work: () => Result): Result => store.exit(work)

/** Has `work` called as the one's whose code calls this, wherever it is called from. */
export function bind<Args extends unknown[]>(work: (...args: Args) => void): (...args: Args) => void {
  const one = store.getStore()
  return one ? (...args) => store.run(one, () => work(...args)) : work
}
