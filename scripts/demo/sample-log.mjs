/**
 * An endless made-up log of sshd: people who log in and out, a mistyped password now and then, and every few seconds
 * somebody who guesses passwords. All addresses are of the nets that are set aside for documentation.
 * Yields {line (from the program's name on), waitMs (before it)}.
 */
export function* sampleLog(random = Math.random) {
  const pick = (list) => list[Math.floor(random() * list.length)]
  const between = (low, high) => low + Math.floor(random() * (high - low + 1))
  let pid = between(1000, 9000)
  const state = { pick, between, random, nextPid: () => (pid = pid > 30_000 ? 1000 : pid + between(1, 9)) }
  let untilBurst = 2
  for (;;) {
    if (untilBurst-- <= 0) {
      yield* burst(state)
      untilBurst = between(4, 10)
    } else yield* random() < 0.2 ? slip(state) : login(state)
  }
}

const PEOPLE = ['ada', 'grace', 'alan', 'edsger', 'barbara', 'donald', 'backup', 'deploy']
const GUESSED = ['root', 'admin', 'test', 'oracle', 'postgres', 'ubuntu', 'pi', 'git', 'nagios', 'www-data']
const GUESSING_NETS = ['198.51.100', '203.0.113']

function* login({ pick, between, random, nextPid }) {
  const sshd = `sshd[${nextPid()}]`
  const user = pick(PEOPLE)
  const how = random() < 0.7 ? 'publickey' : 'password'
  const from = `from 192.0.2.${between(10, 40)} port ${between(40_000, 60_000)} ssh2`
  yield { line: `${sshd}: Accepted ${how} for ${user} ${from}`, waitMs: between(300, 900) }
  yield {
    line: `${sshd}: pam_unix(sshd:session): session opened for user ${user}(uid=${between(1000, 1040)})`,
    waitMs: 20,
  }
  yield { line: `${sshd}: pam_unix(sshd:session): session closed for user ${user}`, waitMs: between(300, 900) }
}

/** A person who mistypes once, and then gets in: no reason for an alert. */
function* slip(state) {
  const { pick, between, nextPid } = state
  const user = pick(PEOPLE)
  const from = `from 192.0.2.${between(10, 40)} port ${between(40_000, 60_000)} ssh2`
  const sshd = `sshd[${nextPid()}]`
  yield { line: `${sshd}: Failed password for ${user} ${from}`, waitMs: between(400, 1000) }
  yield { line: `${sshd}: Accepted password for ${user} ${from}`, waitMs: between(800, 1500) }
}

/** Somebody who tries passwords, faster and faster than a person could. */
function* burst({ pick, between, random, nextPid }) {
  const address = `${pick(GUESSING_NETS)}.${between(1, 254)}`
  for (let tries = between(6, 14); tries > 0; tries--) {
    const sshd = `sshd[${nextPid()}]`
    const from = `from ${address} port ${between(30_000, 60_000)}`
    const user = pick(GUESSED)
    if (user === 'root') {
      yield { line: `${sshd}: Failed password for root ${from} ssh2`, waitMs: between(60, 250) }
      if (random() < 0.4) {
        yield {
          line: `${sshd}: message repeated 5 times: [ Failed password for root ${from} ssh2]`,
          waitMs: between(200, 500),
        }
        yield {
          line: `${sshd}: error: maximum authentication attempts exceeded for root ${from} ssh2 [preauth]`,
          waitMs: 20,
        }
      }
    } else {
      yield { line: `${sshd}: Invalid user ${user} ${from}`, waitMs: between(60, 250) }
      yield { line: `${sshd}: Failed password for invalid user ${user} ${from} ssh2`, waitMs: between(60, 250) }
    }
    yield { line: `${sshd}: Connection closed by ${address} port ${from.split(' ').at(-1)} [preauth]`, waitMs: 20 }
  }
}
