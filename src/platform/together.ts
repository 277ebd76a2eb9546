interface Waiting<I, O> {
  item: I
  resolve(result: O): void
  reject(error: unknown): void
}

interface Together {
  /** Pieces of work under way. */
  atOnce: number
  /** In a piece. */
  most: number
  lingerMs?: number
}

/**
 * Lets work that is done for many at the cost of one be asked for one by one. Nobody waits while there is room, but for company and at
 * most `lingerMs`; what comes while `atOnce` pieces of work are under way goes together as soon as one of them ends, `most` in a piece.
 * `work` answers in the order of what it was given; where it fails, it has failed for all of that piece and for nobody else.
 */
export function together<I, O>(
  work: (items: I[]) => Promise<O[]>,
  { atOnce, most, lingerMs = 0 }: Together,
): (item: I) => Promise<O> {
  const waiting: Waiting<I, O>[] = []
  let underWay = 0

  async function takeNext(): Promise<void> {
    if (underWay >= atOnce || waiting.length === 0) return
    underWay += 1
    const taken = waiting.splice(0, most)
    try {
      const results = await work(taken.map(({ item }) => item))
      if (results.length !== taken.length) throw new Error('not as many answers as questions')
      results.forEach((result, i) => {
        taken[i]?.resolve(result)
      })
    } catch (error) {
      for (const { reject } of taken) reject(error)
    }
    underWay -= 1
    void takeNext()
  }

  return item =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (lingerMs > 0 && waiting.length < most) setTimeout(takeNext, lingerMs)
      else queueMicrotask(takeNext) // so that what comes in one breath goes in one piece
    })
}

/** The same for each key apart, as if each had been made for itself; what is asked of one key waits for no other. */
export function togetherBy<I, O>(
  keyOf: (item: I) => string,
  work: (items: I[]) => Promise<O[]>,
  optionsOf: (item: I) => Together,
): (item: I) => Promise<O> {
  const doors = new Map<string, { ask: (item: I) => Promise<O>; inside: number }>()
  return async item => {
    const key = keyOf(item)
    const door = doors.get(key) ?? { ask: together(work, optionsOf(item)), inside: 0 }
    doors.set(key, door)
    door.inside += 1
    try {
      return await door.ask(item)
    } finally {
      door.inside -= 1
      if (door.inside === 0) doors.delete(key)
    }
  }
}
