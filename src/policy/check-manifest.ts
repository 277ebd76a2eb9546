import type { Fault } from '../domain/problem.ts'
import { CATEGORIES, LEGAL_BASES, type Policy, PURPOSES, RETENTION_RULES } from './policy.ts'

/** What of an adapter's manifest speaks the policy's language. */
export interface DescribedDataset {
  name: string
  category: string
  purposes: readonly string[]
  legalBases: readonly string[]
  retention: string
  recipients?: readonly string[]
}

/**
 * Holds a manifest against the privacy policy. An adapter may only claim what the policy tells people: a category, purpose, legal
 * basis, retention rule or recipient that the policy does not know is a fault, and so is a legal basis without any purpose.
 */
export function checkManifest(policy: Policy, manifest: { name?: string; datasets: readonly DescribedDataset[] }): Fault[] {
  const recipients = policy.recipients.map(({ name }) => name)
  const ofDatasets = manifest.datasets.flatMap((dataset, at) => {
    const place = `/datasets/${at}`
    return [
      ...unknown(`${place}/category`, 'category', dataset.category, CATEGORIES),
      ...unknownAmong(`${place}/purposes`, 'purpose', dataset.purposes, PURPOSES),
      ...unknownAmong(`${place}/legalBases`, 'legal basis', dataset.legalBases, LEGAL_BASES),
      ...unknown(`${place}/retention`, 'retention rule', dataset.retention, RETENTION_RULES),
      ...unknownAmong(`${place}/recipients`, 'recipient', dataset.recipients ?? [], recipients),
      ...(dataset.purposes.length > 0 ? [] : [{ pointer: `${place}/purposes`, detail: 'Every dataset serves a purpose.' }]),
      ...(dataset.legalBases.length > 0 ? [] : [{ pointer: `${place}/legalBases`, detail: 'Every dataset has a legal basis.' }]),
    ]
  })
  return [...ofDatasets, ...unprotected(policy, manifest)]
}

/** A rule for the sake of others that has lost its dataset, to a slip or a new name, would protect nobody. */
const unprotected = (
  { othersRights: { rules } }: Policy,
  { name, datasets }: { name?: string; datasets: readonly { name: string }[] },
) =>
  rules
    .filter(({ adapter, dataset }) => adapter !== undefined && adapter === name && dataset !== undefined)
    .filter(({ dataset }) => !datasets.some(one => one.name === dataset))
    .map(rule => ({
      pointer: '/datasets',
      detail: `The privacy policy has a rule '${rule.name}' for a dataset '${rule.dataset}'.`,
    }))

const unknown = (pointer: string, kind: string, word: string, known: readonly string[]): Fault[] =>
  known.includes(word)
    ? []
    : [{ pointer, detail: `The privacy policy knows no ${kind} '${word}'; it knows ${known.join(', ')}.` }]

const unknownAmong = (pointer: string, kind: string, words: readonly string[], known: readonly string[]): Fault[] =>
  words.flatMap((word, at) => unknown(`${pointer}/${at}`, kind, word, known))
