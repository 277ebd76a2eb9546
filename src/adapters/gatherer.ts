import { AdapterFault } from './fault.ts'

/** Joins pieces in one growing buffer: a body that comes byte by byte costs what it weighs, not an object for each byte. */
export interface Gatherer {
  add(piece: Buffer): void
  /** Everything added since the last time. */
  take(): Buffer
  isEmpty(): boolean
}

/** @throws AdapterFault `too_large` from `add`, once there are more bytes than `limit` */
export function gatherer(limit: number, what: string): Gatherer {
  let space = Buffer.alloc(0)
  let length = 0
  return {
    isEmpty: () => length === 0,
    add(piece) {
      const needed = length + piece.length
      if (needed > limit) throw new AdapterFault('too_large', `${what} is too long`)
      if (needed > space.length) {
        const larger = Buffer.allocUnsafe(Math.max(needed, 2 * length))
        space.copy(larger, 0, 0, length)
        space = larger
      }
      piece.copy(space, length)
      length = needed
    },
    take() {
      const taken = space.subarray(0, length)
      space = Buffer.alloc(0)
      length = 0
      return taken
    },
  }
}
