/** What is not as the protocol has it. The message is ours: datasets, counts, codes, and not a word of anybody's data. */
export class Objection extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'Objection'
  }
}

export function insist(condition: unknown, otherwise: string): asserts condition {
  if (!condition) throw new Objection(otherwise)
}
