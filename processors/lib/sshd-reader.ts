import { BoundedMap } from './bounded-map.js'
import type { Heard } from './guess-book.js'
import { parseSshd, repeatsLast, type SshdMessage } from './sshd-message.js'
import { parseTime } from './sshd-time.js'
import { parseSyslog } from './syslog-line.js'

const SSHD = /^sshd(-session|-auth)?$/
const MOST_HOSTS = 1000

/** Reads lines one after the other; it keeps what a line needs of those before it. */
export class SshdReader {
  /** What each host said last, for "last message repeated". */
  #last = new BoundedMap<string, { message: SshdMessage; pid: string } | 'other'>(MOST_HOSTS)
  #lastTime: number | undefined

  constructor(private readonly timeFrom: 'log' | 'arrival') {}

  /** Undefined for a line that tells of no try and no login. `arrived`: Unix ms. */
  read(line: string, arrived: number): Heard | undefined {
    const { time, host, program, pid, message: text } = parseSyslog(line.trimEnd())
    const at = this.#timeOf(time, arrived)
    const again = program === '' ? repeatsLast(text) : undefined
    if (again !== undefined) return this.#again(host, again, at, arrived)
    const message = program === '' || SSHD.test(program) ? parseSshd(text) : undefined
    this.#last.set(host, message ? { message, pid } : 'other')
    return message && { message, at, arrived, host, pid }
  }

  #again(host: string, times: number, at: number, arrived: number): Heard | undefined {
    const last = this.#last.get(host)
    if (!last || last === 'other') return undefined
    return { message: { ...last.message, times: last.message.times * times }, at, arrived, host, pid: last.pid }
  }

  #timeOf(text: string, arrived: number): number {
    const time = text ? parseTime(text, arrived, this.#lastTime) : undefined
    if (time !== undefined) this.#lastTime = time
    return this.timeFrom === 'arrival' ? arrived : (time ?? arrived)
  }
}
