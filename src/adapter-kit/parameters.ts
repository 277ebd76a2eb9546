import { TaskProblem } from './problem.ts'
import type { Action, Correction, ErasureGround, Manifest, ParametersOf, RestrictionGround, Task } from './protocol.ts'

type Json = Readonly<Record<string, unknown>>

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isErasureGround = (value: unknown): value is ErasureGround => isText(value) && /^17_1_[a-f]$/.test(value)
const isRestrictionGround = (value: unknown): value is RestrictionGround => isText(value) && /^18_1_[a-d]$/.test(value)

/** By action: what is read of the parameters, so that the author's function gets what its type says. Members not known stay out. */
const READERS: { [A in Action]: (json: Json) => ParametersOf[A] } = {
  resolve: () => ({}),
  locate: () => ({}),
  collect: () => ({}),
  rectify: ({ corrections }) => ({ corrections: some(corrections, 'corrections', isCorrection) }),
  erase: ({ ground }) => one({ ground }, isErasureGround),
  restrict: ({ ground }) => one({ ground }, isRestrictionGround),
  lift_restriction: () => ({}),
  object: ({ purposes, ground }) => ({ purposes: some(purposes, 'purposes', isText), ...one({ ground }, isText) }),
  withdraw_consent({ purposes = [], cookies = [] }) {
    const withdrawn = { purposes: all(purposes, 'purposes', isText), cookies: all(cookies, 'cookies', isText) }
    if (withdrawn.purposes.length + withdrawn.cookies.length > 0) return withdrawn
    throw invalid('/parameters names the purposes or the cookies that consent is withdrawn for.')
  },
}

/** @throws TaskProblem 400 for parameters that are not those of the action */
export const readParameters = <A extends Action>(action: A, json: Json): ParametersOf[A] => READERS[action](json)

/** @throws TaskProblem 422 for a correction of what was not asked about, or of a field that the dataset does not have */
export function requireCorrectable({ scope, parameters }: Task<'rectify'>, manifest: Manifest): void {
  for (const { dataset, field } of parameters.corrections) {
    if (!scope.datasets.includes(dataset))
      throw new TaskProblem(422, 'unknown_dataset', 'A correction is of a dataset out of scope.')
    const fields = manifest.datasets.find(({ name }) => name === dataset)?.fields
    if (fields && !fields.some(({ name }) => name === field))
      throw new TaskProblem(422, 'unknown_field', `A correction is of a field that ${dataset} does not have.`)
  }
}

function isCorrection(value: unknown): value is Correction {
  if (typeof value !== 'object' || value === null) return false
  const { dataset, field, from, to }: { [K in keyof Correction]?: unknown } = value
  return isText(dataset) && isText(field) && isScalar(from) && isScalar(to)
}

const isScalar = (value: unknown): boolean => value === null || ['string', 'number', 'boolean'].includes(typeof value)

function all<T>(value: unknown, name: string, is: (item: unknown) => item is T): T[] {
  if (Array.isArray(value) && value.every(is)) return value
  throw invalid(`/parameters/${name} is not what it is in the protocol.`)
}

function some<T>(value: unknown, name: string, is: (item: unknown) => item is T): T[] {
  const items = all(value, name, is)
  if (items.length > 0) return items
  throw invalid(`/parameters/${name} names at least one.`)
}

function one<T>({ ground }: { ground: unknown }, is: (value: unknown) => value is T): { ground?: T } {
  if (ground === undefined) return {}
  if (is(ground)) return { ground }
  throw invalid('/parameters/ground is none of this action.')
}

const invalid = (detail: string) => new TaskProblem(400, 'invalid_request', detail)
