import { setTimeout as sleep } from 'node:timers/promises'
import type { Manifest } from '../adapters/protocol.ts'

export interface Pace {
  /** Waits until the next call may be made. */
  next(): Promise<void>
  /** From now on no more a minute than the adapter bears: a tenth of them at once, the rest evenly, as in operation. */
  keepTo(limits: Pick<Manifest['limits'], 'perMinute'>): void
}

export function createPace(): Pace {
  let perMinute = 600
  let allowance = perMinute / 10
  let at = performance.now()
  return {
    keepTo(limits) {
      perMinute = limits.perMinute
      allowance = Math.min(allowance, burst(perMinute))
    },
    async next() {
      const now = performance.now()
      allowance = Math.min(burst(perMinute), allowance + ((now - at) / 60_000) * perMinute)
      at = now
      allowance -= 1
      if (allowance < 0) await sleep((-allowance * 60_000) / perMinute)
    },
  }
}

const burst = (perMinute: number): number => Math.max(1, perMinute / 10)
