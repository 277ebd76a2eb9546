import { createHash } from 'node:crypto'
import type { CollectSink } from '../adapters/collect-stream.ts'

type Scalar = string | number | boolean

/** What came of one dataset. Two collections of the same have the same print, in whatever order it came. */
export interface Pile {
  records: number
  files: number
  bytes: number
  /** The sum of the SHA-256 of everything: a multiset, in constant memory. */
  print: bigint
  /** The first value of each field that has one: what a correction can be tried on. */
  samples: ReadonlyMap<string, Scalar>
  /** Of each value that was looked for, the records it stands in. */
  standing: ReadonlyMap<unknown, number>
}

export interface LookFor {
  dataset: string
  field: string
  values: readonly unknown[]
}

const isScalar = (value: unknown): value is Scalar => ['string', 'number', 'boolean'].includes(typeof value)
const added = (print: bigint, digest: Buffer): bigint => BigInt.asUintN(256, print + BigInt(`0x${digest.toString('hex')}`))
const newPile = () => ({
  ...{ records: 0, files: 0, bytes: 0, print: 0n },
  samples: new Map<string, Scalar>(),
  standing: new Map<unknown, number>(),
})

/** A sink that keeps of a collection nothing but what it takes to recognize it. */
export function gather(lookFor?: LookFor): { sink: CollectSink; piles: ReadonlyMap<string, Pile> } {
  const piles = new Map<string, ReturnType<typeof newPile>>()
  const pileOf = (dataset: string) => {
    const pile = piles.get(dataset) ?? newPile()
    piles.set(dataset, pile)
    return pile
  }
  const sink: CollectSink = {
    record(dataset, json, value) {
      const pile = pileOf(dataset)
      pile.records += 1
      pile.bytes += json.length
      pile.print = added(pile.print, createHash('sha256').update(json).digest())
      for (const [field, held] of Object.entries(value))
        if (isScalar(held) && !pile.samples.has(field)) pile.samples.set(field, held)
      if (lookFor?.dataset !== dataset) return
      const held = value[lookFor.field]
      if (lookFor.values.includes(held)) pile.standing.set(held, (pile.standing.get(held) ?? 0) + 1)
    },
    async file(dataset, { name, mediaType }, content) {
      const pile = pileOf(dataset)
      pile.files += 1
      const hash = createHash('sha256').update(JSON.stringify([name, mediaType]))
      for await (const piece of content as AsyncIterable<Buffer>) {
        hash.update(piece)
        pile.bytes += piece.length
      }
      pile.print = added(pile.print, hash.digest())
    },
  }
  return { sink, piles }
}
