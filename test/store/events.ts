import type { StoredEvent } from '../../src/store/types.js'

export const T0 = 1_763_831_234_000

/** An event `n` ms after T0 with whatever else is given. */
export function event(n: number, other: Partial<StoredEvent> = {}): StoredEvent {
  return {
    id: `${T0 + n}-0`,
    time: T0 + n,
    kind: 'alert',
    severity: 'info',
    type: 'SshGuard',
    nickname: 'gate-1',
    node: 'alpha',
    epoch: 7,
    source: '192.0.2.1',
    message: `event ${n}`,
    data: null,
    key: '',
    ...other,
  }
}

export const many = (count: number, other: (n: number) => Partial<StoredEvent> = () => ({})): StoredEvent[] =>
  Array.from({ length: count }, (_, n) => event(n, other(n)))

/** Texts that were ever trouble for someone who glued SQL together, or for an encoding. */
export const NASTY = [
  "'",
  "''",
  '"',
  '`',
  '\\',
  "\\'",
  "\\\\'",
  "' or '1'='1",
  "'; drop table events; --",
  '"; drop table events; --',
  '1); delete from events; --',
  "x' union select 1,2,3,4,5,6,7,8,9,10,11,12,13 -- ",
  '?',
  '??',
  ':name',
  '$1',
  '@@version',
  '%',
  '_',
  '/* */',
  '--',
  '#',
  '{"a": 1}',
  'ÄÖÜß',
  'É',
  'é',
  '日本語',
  'Добрый день',
  '🛡️🔥👩‍👩‍👧‍👦',
  '\u200b\u202eabc',
  'line\nbreak\r\n\ttab',
  '\u001a',
  '%27%20OR%201=1',
  '\u02bc or 1=1',
  "¿'",
  "縗'",
]
