/** Where the time comes from. Injected everywhere, so that a test can hold it still or move it. */
export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }
