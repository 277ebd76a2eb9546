import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { CollectSink } from '../adapters/collect-stream.ts'
import type { Correction, Value } from '../domain/details.ts'

/** Reads what is held now against what was to be corrected, record by record, and keeps nothing of it. */
export interface ReadBack extends CollectSink {
  /** Datasets in which a correction does not show: the new value is nowhere, or the old one is still there. */
  uncorrected(): string[]
}

export function readBack(corrections: readonly Correction[]): ReadBack {
  const seen = corrections.map(correction => ({ correction, hasNew: false, hasOld: false }))
  return {
    record(dataset, _json, value) {
      for (const one of seen) {
        const { correction } = one
        if (correction.dataset !== dataset || !Object.hasOwn(value, correction.field)) continue
        const held = value[correction.field]
        if (isSame(held, correction.to)) one.hasNew = true
        else if (isSame(held, correction.from)) one.hasOld = true
      }
    },
    async file(_dataset, _meta, content: Readable) {
      await finished(content.resume())
    },
    uncorrected: () => [
      ...new Set(seen.filter(({ hasNew, hasOld }) => !hasNew || hasOld).map(({ correction }) => correction.dataset)),
    ],
  }
}

/** A store may keep a number as text, or the other way round. */
const isSame = (held: unknown, wanted: Value): boolean =>
  held === wanted || (held !== null && wanted !== null && String(held) === String(wanted))
