export interface Dispatcher {
  /** There may be something to do. Returns at once. */
  wake(): void
  /** Starts nothing more and waits until what runs has ended or been given up. */
  stop(): Promise<void>
}

/** Work of the fleet that lies in the database until somebody takes it. */
export interface Work<T> {
  /** So many at once in this process. */
  slots: number
  /** Takes what this process does next. `held` says for whom it is at work now, and how often: by the keys of `keyOf`. */
  claim(held: ReadonlyMap<string, number>): Promise<T[]>
  /** For whom it is done. */
  keyOf(one: T): string
  /** Does it to its end. Never throws. */
  run(one: T, signal: AbortSignal): Promise<void>
  onError(error: unknown): void
}

const LOOK_EVERY_MS = 1000

/**
 * Keeps up to `slots` pieces of the fleet's work running in this process. It looks whenever it is woken, when one ends and once a
 * second, so that a lost wake-up or a silent worker costs seconds and nothing else.
 */
export function startDispatcher<T>({ slots, claim, keyOf, run, onError }: Work<T>): Dispatcher {
  const running = new Map<Promise<void>, string>()
  const stopping = new AbortController()
  let looking: Promise<void> | undefined
  let again = false

  const look = async () => {
    do {
      again = false
      if (running.size >= slots || stopping.signal.aborted) return
      for (const one of await claim(countsOf(running.values()))) {
        const work = run(one, stopping.signal).finally(() => {
          running.delete(work)
          wake()
        })
        running.set(work, keyOf(one))
      }
    } while (again)
  }
  const wake = () => {
    again = true
    if (looking || stopping.signal.aborted) return
    looking = look()
      .catch(onError)
      .finally(() => {
        looking = undefined
        if (again && running.size < slots) wake()
      })
  }
  const timer = setInterval(wake, LOOK_EVERY_MS)

  return {
    wake,
    async stop() {
      clearInterval(timer)
      stopping.abort(new Error('the worker is stopping'))
      await looking
      await Promise.all(running.keys())
    },
  }
}

function countsOf(values: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}
