import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { together, togetherBy } from '../../src/platform/together.ts'

/** Work that is done when the test says so. */
function heldWork({ atOnce = 1, most = 10 } = {}) {
  const pieces: { items: number[]; done(): void; fail(error: Error): void }[] = []
  const ask = together(
    (items: number[]) =>
      new Promise<string[]>((resolve, reject) => {
        pieces.push({ items, done: () => resolve(items.map(item => `${item}!`)), fail: reject })
      }),
    { atOnce, most },
  )
  return { ask, pieces, sizes: () => pieces.map(({ items }) => items) }
}
const settle = () => new Promise(next => setImmediate(next))

describe('what is asked one by one', () => {
  test('goes at once while there is room, and together once there is none', async () => {
    const { ask, pieces, sizes } = heldWork({ atOnce: 2 })
    const asked = [ask(1)]
    await settle()
    asked.push(ask(2))
    await settle()
    asked.push(ask(3))
    await settle()
    asked.push(ask(4))
    await settle()
    expect(sizes()).toEqual([[1], [2]])
    pieces[1]?.done()
    await settle()
    expect(sizes()).toEqual([[1], [2], [3, 4]])
    for (const { done } of pieces) done()
    expect(await Promise.all(asked)).toEqual(['1!', '2!', '3!', '4!'])
  })

  test('in one breath goes in one piece, no larger than allowed', async () => {
    const { ask, pieces, sizes } = heldWork({ most: 2 })
    const asked = [1, 2, 3].map(ask)
    await settle()
    pieces[0]?.done()
    await settle()
    pieces[1]?.done()
    expect(await Promise.all(asked)).toEqual(['1!', '2!', '3!'])
    expect(sizes()).toEqual([[1, 2], [3]])
  })

  test('fails with its own piece alone, and others go on', async () => {
    const { ask, pieces } = heldWork()
    const first = ask(1)
    await settle()
    const second = ask(2)
    pieces[0]?.fail(new Error('gone'))
    await expect(first).rejects.toThrow('gone')
    await settle()
    pieces[1]?.done()
    expect(await second).toBe('2!')
  })

  test('is not given the answer of another when there are too few', async () => {
    const ask = together(async (items: number[]) => items.slice(1), { atOnce: 1, most: 10 })
    const asked = await Promise.allSettled([ask(1), ask(2)])
    expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  })

  test('is answered each with its own, however it comes and whatever fails meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(fc.nat(20)), fc.nat(3), fc.nat(4), async (s, items, atOnce, most) => {
        const work = s.scheduleFunction(async (given: number[]) => {
          if (given.includes(13)) throw new Error('13')
          return given.map(item => item * 2)
        })
        const ask = together(work, { atOnce: atOnce + 1, most: most + 1 })
        const asked = Promise.allSettled(items.map(item => s.schedule(Promise.resolve(item)).then(ask)))
        await s.waitFor(asked)
        for (const [i, answer] of (await asked).entries()) {
          if (answer.status === 'fulfilled') expect(answer.value).toBe((items[i] ?? 0) * 2)
          if (items[i] === 13) expect(answer.status).toBe('rejected')
        }
      }),
    )
  })
})

describe('what is asked one by one, each of its kind', () => {
  test('goes a piece of a kind at a time, and no kind waits for another', async () => {
    const pieces: { items: string[]; done(): void }[] = []
    const work = (items: string[]) => new Promise<string[]>(resolve => pieces.push({ items, done: () => resolve(items) }))
    const ask = togetherBy(
      (item: string) => item.charAt(0),
      work,
      () => ({ atOnce: 1, most: 2 }),
    )
    const asked = ['a1', 'b1'].map(ask)
    await settle()
    asked.push(...['a2', 'a3', 'a4'].map(ask))
    await settle()
    expect(pieces.map(({ items }) => items)).toEqual([['a1'], ['b1']])
    for (const n of [0, 1, 2, 3]) {
      pieces[n]?.done()
      await settle()
    }
    expect(await Promise.all(asked)).toEqual(['a1', 'b1', 'a2', 'a3', 'a4'])
    expect(pieces.map(({ items }) => items)).toEqual([['a1'], ['b1'], ['a2', 'a3'], ['a4']])
  })
})
