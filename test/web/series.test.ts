import { describe, expect, it } from 'vitest'
import { type Point, withHistory, withPoint } from '../../src/web/page/series.js'
import { stretchesOf } from '../../src/web/page/stretches.js'

describe('a chart', () => {
  const EVERY = 1000
  const point = (time: number, change: Partial<Point> = {}): Point => ({
    ...{ time, width: EVERY, in: time, out: 0, lost: 0, memory: 0, delay: 0, ...change },
  })
  const many = (n: number, change: (i: number) => Partial<Point> = () => ({})) => {
    let points: Point[] = []
    for (let i = 0; i < n; i++) points = withPoint(points, point(i * EVERY, change(i)))
    return points
  }
  const stretches = (points: Point[]) => stretchesOf(points).map(([from, to]) => to - from)

  it('keeps the whole time in bounded memory, ever coarser, and the newest as they were', () => {
    const points = many(10_000)
    expect(points.length).toBeLessThanOrEqual(500)
    expect(points[0]?.time).toBe(0)
    expect(points.at(-1)).toEqual(point(9_999_000))
    expect(points.slice(-10).every(({ width }) => width === EVERY)).toBe(true)
    expect(
      points.every(
        ({ time, width }, i) =>
          i === 0 || (time === (points[i - 1]?.time ?? 0) + (points[i - 1]?.width ?? 0) && width > 0),
      ),
    ).toBe(true)
    expect(Math.max(...points.map(({ width }) => width))).toBeLessThanOrEqual(40 * EVERY)
    expect(stretches(points)).toEqual([points.length])
  })

  it('keeps the worst of what is a matter of a second, and the mean of rates', () => {
    const points = many(10_000, (i) => (i === 1234 ? { lost: 9, memory: 70, delay: 80, in: 5 } : { in: 5 }))
    const worst = points.filter(({ lost }) => lost > 0)
    expect(worst).toMatchObject([{ lost: 9, memory: 70, delay: 80 }])
    expect(points.every((one) => Math.abs(one.in - 5) < 1e-9)).toBe(true)
  })

  it('draws what the node has kept, however coarse, and a gap where nothing was', () => {
    const history = Array.from({ length: 180 }, (_, i) => point(i * 5000 - 900_000, { width: 5000 }))
    let points: Point[] = history
    for (let i = 0; i < 5000; i++) points = withPoint(points, point(i * EVERY))
    for (let i = 0; i < 100; i++) points = withPoint(points, point(5_600_000 + i * EVERY))
    expect(points[0]?.time).toBe(-900_000)
    const lengths = stretches(points)
    expect(lengths).toHaveLength(2)
    expect(lengths[0]).toBeGreaterThan(300)
    expect(lengths[1]).toBeGreaterThan(10)
  })

  it("begins with what the node has kept, by this page's clock, and leaves out what is not known", () => {
    const history = {
      ...{ time: [1000, 6000, 11_000], now: 12_000, in: [null, 5, 7], out: [null, 1, 2] },
      ...{ lost: [null, 0, 3], memory: [40, 41, null], delay: [1, 2, 3] },
    }
    const points = withHistory([point(112_000)], history, 112_000)
    const kept = { time: 106_000, width: 5000, in: 5, out: 1, lost: 0, memory: 41, delay: 2 }
    expect(points).toEqual([kept, point(112_000)])
    // what is drawn as one stands for all of its time
    expect(withHistory([point(100_000, { width: 13_000 })], history, 112_000)).toHaveLength(1)
  })
})
