import { describe, expect, test } from 'vitest'
import { changedFollowers, deriveFollowers } from '../../src/monitor/followers.js'
import { namesOf } from '../../src/redis/names.js'

const names = namesOf('T')
const worker = (type: string, nickname: string, hears: string[] = [], follower = '') => ({
  type,
  nickname,
  dataFeeder: JSON.stringify(hears),
  follower,
})

/** Followers of `Demo.a`, while `b` hears one source. */
function followersOfA(heard: string): string[] {
  return [...(deriveFollowers(names, [worker('Demo', 'a'), worker('Other', 'b', [heard])])[0] ?? [])]
}

describe('a worker is followed by whom hears', () => {
  test.each([
    ['its channel', 'T.Worker.Demo.a.Pub'],
    ['its type', 'T.Worker.Demo.*.Pub'],
    ['its nickname', 'T.Worker.*.a.Pub'],
    ['everybody', 'T.Worker.*.*.Pub'],
    ['a pattern of its own making', 'T.*.De[lm]o.?.Pub'],
    ['a pattern with a range', 'T.Worker.Demo.[a-c].Pub'],
  ])('%s', (_what, heard) => expect(followersOfA(heard)).toEqual(['b']))

  test.each([
    ['another channel', 'T.Worker.Demo.b.Pub'],
    ['another type', 'T.Worker.Demon.*.Pub'],
    ['a channel that only looks alike', 'T.Worker.Demo.a.PubX'],
    ['the commands', 'T.Worker.Demo.a.Command'],
    ['a pattern that does not fit', 'T.*.De[^m]o.?.Pub'],
    ['a pattern whose star is meant literally', 'T.Worker.Demo.\\*.Pub'],
    ['an unfinished pattern', 'T.Worker.Demo.[a.Pub'],
    ['an empty class', 'T.Worker.Demo.[].Pub'],
  ])('but not by whom hears %s', (_what, heard) => expect(followersOfA(heard)).toEqual([]))
})

test('what a worker wrote that is no list harms nobody', () => {
  const bad = ['{', '"x"', '{"a":1}', '[1,null]', ''].map((dataFeeder, i) => ({
    ...worker('Bad', `x${i}`),
    dataFeeder,
  }))
  const [followers] = deriveFollowers(names, [worker('Demo', 'a', ['T.Worker.Demo.a.Pub']), ...bad])
  expect([...(followers ?? [])]).toEqual(['a'])
})

test('only what changed is written', () => {
  const hears = ['T.Worker.Demo.a.Pub']
  const changed = changedFollowers(names, [
    worker('Demo', 'a', hears, '["c"]'),
    worker('Demo', 'b', hears),
    worker('Demo', 'c', [], '["b"]'),
  ])
  expect(changed).toEqual([
    { type: 'Demo', nickname: 'a', follower: '["a","b"]' },
    { type: 'Demo', nickname: 'c', follower: '[]' },
  ])
})

test('ten thousand workers take a moment', () => {
  const fleet = Array.from({ length: 10_000 }, (_, i) => worker('Demo', `w${i}`, [`T.Worker.Demo.w${i >> 1}.Pub`]))
  const start = performance.now()
  expect(changedFollowers(names, fleet)).toHaveLength(5000)
  expect(performance.now() - start).toBeLessThan(3000)
})
