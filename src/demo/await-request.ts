import type { Client } from './client.ts'

export interface RequestSeen {
  id: string
  state: string
  dueOn: string
  legalDueOn: string
  coolsOffAt: string | null
  flags: string[]
  completeness: {
    complete: boolean
    adaptersAsked: number
    adaptersAnswered: number
    withheld?: { adapter: string; dataset: string; field?: string; records: number }[]
  } | null
}

const PATIENCE_MS = 60_000

/** Asks until the answer fits. @throws with the last answer when it never does */
export async function until<T>(ask: () => Promise<T>, fits: (answer: T) => boolean): Promise<T> {
  for (const end = performance.now() + PATIENCE_MS; ; ) {
    const answer = await ask()
    if (fits(answer)) return answer
    if (performance.now() > end) throw new Error(`It never came to that in a minute. Last: ${JSON.stringify(answer)}`)
    await new Promise(next => setTimeout(next, 50))
  }
}

/** Waits until a request is as it should be. */
export const becomes =
  (officer: Client) =>
  (at: string, fits: (request: RequestSeen) => boolean): Promise<RequestSeen> =>
    until(() => officer<RequestSeen>('GET', at), fits)

/** Waits until something stands on a request's record. */
export const recorded =
  (officer: Client) =>
  async (at: string, event: string): Promise<void> => {
    await until(
      () => officer<{ entries: { event: string }[] }>('GET', `${at}/timeline`),
      ({ entries }) => entries.some(entry => entry.event === event),
    )
  }
