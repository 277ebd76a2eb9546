import Type, { type TSchema } from 'typebox'

/** Exactly the given names, all of them, each with such a value. */
export const table = <const N extends readonly string[], T extends TSchema>(names: N, value: T) =>
  Type.Object(Object.fromEntries(names.map(name => [name, value])) as Record<N[number], T>, { additionalProperties: false })
