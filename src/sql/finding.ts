import type { Fault } from '../domain/problem.ts'

/**
 * What is found when a description is held against its database. With an `error` it is of no use; a `warning` is for a person to
 * think about; a `note` says what will be done.
 */
export interface Finding extends Fault {
  kind: 'error' | 'warning' | 'note'
}

export const isError = ({ kind }: Finding): boolean => kind === 'error'
