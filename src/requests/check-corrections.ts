import { adaptersIn } from '../adapters/adapters.store.ts'
import type { Dataset } from '../adapters/protocol.ts'
import { isDay } from '../domain/day.ts'
import type { Correction, Value } from '../domain/details.ts'
import { type Fault, Problem } from '../domain/problem.ts'
import type { Tx } from '../platform/database.ts'

type Field = Dataset['fields'][number]

/**
 * Corrections of what somebody here holds, to values that can stand there. That is no secret: what is held, though never of whom,
 * is in the privacy policy. @throws Problem `unprocessable`, with a pointer to each that is none
 */
export async function checkCorrections(tx: Tx, corrections: readonly Correction[]): Promise<void> {
  const datasets = (await adaptersIn(tx)).flatMap(({ manifest }) => manifest.datasets)
  const errors = corrections.flatMap((correction, i) => {
    const fault = faultOf(correction, datasets)
    return fault ? [{ ...fault, pointer: `/details/corrections/${i}${fault.pointer}` }] : []
  })
  if (errors.length > 0) throw new Problem('unprocessable', undefined, { errors })
}

function faultOf({ dataset, field, from, to }: Correction, datasets: readonly Dataset[]): Fault | undefined {
  const named = datasets.filter(({ name }) => name === dataset)
  if (named.length === 0) return { pointer: '/dataset', detail: 'Nobody here holds such a dataset.' }
  const fields = named.flatMap(one => one.fields).filter(({ name }) => name === field)
  if (fields.length === 0) return { pointer: '/field', detail: 'The dataset has no such field.' }
  const wrong = (
    [
      ['/from', from],
      ['/to', to],
    ] as const
  ).find(([, value]) => !fields.some(one => fits(one, value)))
  if (wrong) return { pointer: wrong[0], detail: `The field holds: ${fields.map(({ type }) => type).join(' or ')}.` }
  return from === to ? { pointer: '/to', detail: 'That is what stands there.' } : undefined
}

/** By the kinds of fields that the protocol knows; of any other it is not known what fits. */
function fits({ type = '' }: Field, value: Value): boolean {
  if (value === null) return true
  const check = CHECKS[type]
  return check ? check(value) : true
}

const CHECKS: Partial<Record<string, (value: Value) => boolean>> = {
  string: value => typeof value === 'string',
  number: value => typeof value === 'number',
  boolean: value => typeof value === 'boolean',
  date: value => typeof value === 'string' && isDay(value),
  datetime: value => typeof value === 'string' && isDay(value.slice(0, 10)) && !Number.isNaN(Date.parse(value)),
  object: () => false, // a whole is corrected part by part, or by hand
  array: () => false,
}
