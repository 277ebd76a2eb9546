import type { Table } from './catalogue.ts'

/** Collects the values of a statement: each place of one is written as `$1`, `$2`, and no value ever becomes part of a text. */
export interface Bindings {
  readonly values: unknown[]
  bind(value: unknown): string
}

export function bindings(): Bindings {
  const values: unknown[] = []
  return { values, bind: value => `$${values.push(value)}` }
}

/** A name that was found in the catalogue, as it is written in SQL. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
export const qualified = ({ schema, name }: Pick<Table, 'schema' | 'name'>): string => `${quoted(schema)}.${quoted(name)}`
export const column = (alias: string, name: string): string => `${alias}.${quoted(name)}`
