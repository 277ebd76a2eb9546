/**
 * Where the kit takes the time from. The kit is a package of its own and shares nothing with the service,
 * hence its own clock; signatures are checked against the real time by `standardwebhooks` anyway.
 */
export const now = (): Date => new Date()
