import type { Correction } from '../../adapters/protocol.ts'
import type { Check, Finding } from '../check.ts'
import type { Pile } from '../gather.ts'
import { insist, Objection } from '../objection.ts'
import type { Probe } from '../probe.ts'

/** So many fields are tried; that an adapter does not let each be corrected is its right. */
const TRIES = 12
const NEVER_STOOD = 'never stood here'

/** One value of the same kind and length: what a column would take. Undefined where there is none to be thought of. */
function otherThan(value: string | number | boolean): Correction['to'] | undefined {
  if (typeof value === 'boolean') return !value
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value + 1 : undefined
  const last = value.at(-1) ?? ''
  return /^\p{L}$/u.test(last) ? `${value.slice(0, -1)}${last === 'a' ? 'e' : 'a'}` : undefined
}

/** What could be corrected, texts first, and nothing by which the person is found. */
function candidates({ manifest, known }: Probe, piles: ReadonlyMap<string, Pile>): Correction[] {
  const identifies = (value: unknown) => known.some(one => one.value === value) || String(value).includes('@')
  const found = manifest.datasets.flatMap(({ name, fields }) =>
    fields.flatMap(({ name: field }) => {
      const from = piles.get(name)?.samples.get(field)
      const to = from === undefined || identifies(from) ? undefined : otherThan(from)
      return from === undefined || to === undefined ? [] : [{ dataset: name, field, from, to }]
    }),
  )
  return found.sort((a, b) => Number(typeof b.from === 'string') - Number(typeof a.from === 'string')).slice(0, TRIES)
}

async function correct(probe: Probe, correction: Correction): Promise<string> {
  const scope = { datasets: [correction.dataset] }
  const result = await probe.change(probe.task('rectify', probe.known, { scope, parameters: { corrections: [correction] } }))
  return result?.datasets[0]?.outcome ?? 'unknown'
}

/** The first correction that the adapter makes. */
async function firstMade(probe: Probe, tries: readonly Correction[]): Promise<Correction | undefined> {
  for (const correction of tries) {
    const outcome = await correct(probe, correction).catch(error => {
      if (error instanceof Objection) return 'refused' // a rule of the field's own: another is tried
      throw error
    })
    if (outcome === 'completed') return correction
  }
  return undefined
}

async function correctionsShow(probe: Probe): Promise<Finding> {
  const before = await probe.collect(probe.known)
  const tries = candidates(probe, before)
  if (tries.length === 0) return { notApplicable: 'Nothing in the records of the known person lends itself to a correction.' }
  const made = await firstMade(probe, tries)
  insist(made, `It says that it rectifies, and made none of ${tries.length} corrections: ${tries.map(nameOf).join(', ')}.`)
  const { dataset, field, from, to } = made
  const shown = await probe.collect(probe.known, [dataset], { dataset, field, value: to })
  const back = await correct(probe, { dataset, field, from: to, to: from })
  insist((shown.get(dataset)?.matching ?? 0) > 0, `${nameOf(made)} is said to be corrected, and a collect does not show it.`)
  insist(back === 'completed', `${nameOf(made)} could not be put back: '${back}'.`)
  const restored = await probe.collect(probe.known, [dataset], { dataset, field, value: from })
  insist((restored.get(dataset)?.matching ?? 0) > 0, `${nameOf(made)} is said to be put back, and a collect does not show it.`)
  return `${nameOf(made)} was corrected, seen, and put back.`
}

async function onlyWhatStandsIsCorrected(probe: Probe): Promise<Finding> {
  const before = await probe.collect(probe.known)
  const [candidate] = candidates(probe, before)
  if (!candidate) return { notApplicable: 'Nothing in the records of the known person lends itself to a correction.' }
  const outcome = await correct(probe, { ...candidate, from: NEVER_STOOD, to: 'nor this' })
  insist(outcome !== 'completed', `${nameOf(candidate)} is said to be corrected from what never stood there.`)
  const after = await probe.collect(probe.known)
  const { dataset } = candidate
  insist(
    after.get(dataset)?.print === before.get(dataset)?.print,
    `'${dataset}' changed by a correction of what never stood there.`,
  )
  return `Answered '${outcome}', and nothing changed.`
}

const nameOf = ({ dataset, field }: Correction): string => `${dataset}.${field}`

const needs = { action: 'rectify', person: 'known', destructive: true } as const
const reference = 'openapi/adapter.yaml, Correction; Art. 16 GDPR'

export const CORRECTION_CHECKS: readonly Check[] = [
  {
    id: 'rectified_as_stated',
    title: 'What does not stand as a correction says is left alone',
    reference,
    needs,
    run: onlyWhatStandsIsCorrected,
  },
  { id: 'rectified', title: 'A correction shows in a collect, and can be put back', reference, needs, run: correctionsShow },
]
