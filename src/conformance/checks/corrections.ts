import type { Correction } from '../../adapters/protocol.ts'
import type { Check, Finding } from '../check.ts'
import type { Pile } from '../gather.ts'
import { insist, Objection } from '../objection.ts'
import type { Probe } from '../probe.ts'

/** So many fields are tried; that an adapter does not let each be corrected is its right. */
const TRIES = 12
const NEVER_STOOD = 'never stood here'
export const NOTHING_TO_CORRECT = { notApplicable: 'Nothing in the records of the known person lends itself to a correction.' }

/** One value of the same kind and length: what a column would take. Undefined where there is none to be thought of. */
function otherThan(value: string | number | boolean): Correction['to'] | undefined {
  if (typeof value === 'boolean') return !value
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value + 1 : undefined
  const last = value.at(-1) ?? ''
  return /^\p{L}$/u.test(last) ? `${value.slice(0, -1)}${last === 'a' ? 'e' : 'a'}` : undefined
}

/** What could be corrected, texts first, and nothing by which the person is found. */
export function candidates({ manifest, known }: Probe, piles: ReadonlyMap<string, Pile>): Correction[] {
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

export async function correct(probe: Probe, correction: Correction, more: { dryRun?: true } = {}): Promise<string> {
  const asked = { scope: { datasets: [correction.dataset] }, parameters: { corrections: [correction] }, ...more }
  const result = await probe.change(probe.task('rectify', probe.known, asked))
  return result?.datasets[0]?.outcome ?? 'unknown'
}

/** In how many records the one value stands, and in how many the other; and all there is. */
export async function lookAt(probe: Probe, { dataset, field, from, to }: Correction) {
  const piles = await probe.collect(probe.known, undefined, { dataset, field, values: [from, to] })
  const standing = (value: unknown) => piles.get(dataset)?.standing.get(value) ?? 0
  return { piles, wrong: standing(from), right: standing(to) }
}

/** The first correction that the adapter makes, and what stood there before. */
export async function firstMade(probe: Probe, tries: readonly Correction[]) {
  for (const correction of tries) {
    const before = await lookAt(probe, correction)
    const outcome = await correct(probe, correction).catch(error => {
      if (error instanceof Objection) return 'refused' // a rule of the field's own: another is tried
      throw error
    })
    if (outcome === 'completed') return { correction, before }
  }
  return undefined
}

async function correctionsShow(probe: Probe): Promise<Finding> {
  const tries = candidates(probe, await probe.collect(probe.known))
  if (tries.length === 0) return NOTHING_TO_CORRECT
  const made = await firstMade(probe, tries)
  insist(made, `It says that it rectifies, and made none of ${tries.length} corrections: ${tries.map(nameOf).join(', ')}.`)
  const { correction, before } = made
  const { dataset, field, from, to } = correction
  const after = await lookAt(probe, correction)
  const back = await correct(probe, { dataset, field, from: to, to: from })
  insist(after.right > 0, `${nameOf(correction)} is said to be corrected, and a collect does not show it.`)
  insist(
    after.wrong === 0,
    `${nameOf(correction)} is said to be corrected, and still stands as it was in ${after.wrong} records.`,
  )
  insist(
    after.right === before.right + before.wrong,
    `${nameOf(correction)} was wrong in ${before.wrong} records, and ${after.right - before.right} were corrected.`,
  )
  const spoilt = [...before.piles].find(([name, { print }]) => name !== dataset && after.piles.get(name)?.print !== print)
  insist(!spoilt, `${nameOf(correction)} was corrected, and '${spoilt?.[0]}' changed with it.`)
  insist(back === 'completed', `${nameOf(correction)} could not be put back: '${back}'.`)
  insist(
    (await lookAt(probe, correction)).wrong > 0,
    `${nameOf(correction)} is said to be put back, and a collect does not show it.`,
  )
  return `${nameOf(correction)} was corrected, seen, and put back.`
}

async function dryCorrectionsChangeNothing(probe: Probe): Promise<Finding> {
  const before = await probe.collect(probe.known)
  const tries = candidates(probe, before)
  if (tries.length === 0) return NOTHING_TO_CORRECT
  for (const correction of tries)
    await correct(probe, correction, { dryRun: true }).catch(error => {
      if (!(error instanceof Objection)) throw error // it need not foresee each of them
    })
  const after = await probe.collect(probe.known)
  for (const [name, { print }] of before) insist(after.get(name)?.print === print, `A dry correction changed '${name}'.`)
  return `${tries.length} tried, and everything is as it was.`
}

async function onlyWhatStandsIsCorrected(probe: Probe): Promise<Finding> {
  const before = await probe.collect(probe.known)
  const [candidate] = candidates(probe, before)
  if (!candidate) return NOTHING_TO_CORRECT
  const outcome = await correct(probe, { ...candidate, from: NEVER_STOOD, to: 'nor this' })
  insist(outcome !== 'completed', `${nameOf(candidate)} is said to be corrected from what never stood there.`)
  const after = await probe.collect(probe.known)
  for (const [name, { print }] of before)
    insist(after.get(name)?.print === print, `'${name}' changed by a correction of what never stood there.`)
  return `Answered '${outcome}', and nothing changed.`
}

const nameOf = ({ dataset, field }: Correction): string => `${dataset}.${field}`

const needs = { action: 'rectify', person: 'known', destructive: true } as const
const reference = 'openapi/adapter.yaml, Correction; Art. 16 GDPR'

export const CORRECTION_CHECKS: readonly Check[] = [
  { id: 'rectified_dry', title: 'A dry correction changes nothing', reference, needs, run: dryCorrectionsChangeNothing },
  {
    id: 'rectified_as_stated',
    title: 'What does not stand as a correction says is left alone',
    reference,
    needs,
    run: onlyWhatStandsIsCorrected,
  },
  { id: 'rectified', title: 'A correction shows in a collect, and can be put back', reference, needs, run: correctionsShow },
]
