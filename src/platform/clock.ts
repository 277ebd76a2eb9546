/** The only source of the present moment, so that everything that depends on time can be tried at any time. */
export interface Clock {
  now(): Date
  /** What the clocks of other machines show, where this one has been moved away from them, as test mode does. */
  real?(): Date
}

export const systemClock: Clock = { now: () => new Date() }

/** For what is compared with moments that others have written down: tokens and signatures. */
export const realTime = (clock: Clock): Date => (clock.real ?? clock.now)()
