import { Compile } from 'typebox/compile'
import { type Fault, Problem } from '../domain/problem.ts'
import { Manifest } from './protocol.ts'
import { isObject, type JsonObject } from './strict-json.ts'

const schema = Compile(Manifest)
const DEFAULT_LIMITS = { concurrency: 4, perMinute: 600, batch: 1 }
const MAX_ERRORS = 20

/**
 * Reads a manifest: fills in what may be left unsaid, drops what is not known, and lists everything that is wrong with the rest.
 * @throws Problem `manifest_refused`, with a pointer for each fault
 */
export function validateManifest(json: unknown): Manifest {
  const manifest = isObject(json) ? withDefaults(json) : json
  if (!schema.Check(manifest)) {
    const errors = schema.Errors(manifest).map(({ instancePath, message }) => ({ pointer: instancePath, detail: message }))
    throw new Problem('manifest_refused', undefined, { errors: errors.slice(0, MAX_ERRORS) })
  }
  const errors = contradictions(manifest)
  if (errors.length > 0) throw new Problem('manifest_refused', undefined, { errors: errors.slice(0, MAX_ERRORS) })
  return schema.Clean(manifest) as Manifest
}

function withDefaults(json: JsonObject): JsonObject {
  const datasets = Array.isArray(json.datasets)
    ? json.datasets.map(dataset =>
        isObject(dataset) ? { fields: [], recipients: [], sensitive: false, containsThirdParties: false, ...dataset } : dataset,
      )
    : json.datasets
  const limits = json.limits === undefined || isObject(json.limits) ? { ...DEFAULT_LIMITS, ...json.limits } : json.limits
  return { eraseAfter: [], cancellable: false, ...json, limits, datasets }
}

function contradictions({ name, actions, datasets, identityTypes, eraseAfter, holdsNothingBecause }: Manifest): Fault[] {
  const faults = [
    ...repeated(datasets, dataset => dataset.name, '/datasets', '/name'),
    ...repeated(identityTypes, identity => identity.type, '/identityTypes', '/type'),
    ...datasets.flatMap(({ fields }, i) => repeated(fields, field => field.name, `/datasets/${i}/fields`, '/name')),
    ...datasets.flatMap(unmarked),
  ]
  const add = (pointer: string, detail: string) => faults.push({ pointer, detail })
  if (datasets.length === 0 && holdsNothingBecause === undefined) add('/holdsNothingBecause', 'says why there are no datasets')
  if (datasets.length > 0 && holdsNothingBecause !== undefined) add('/holdsNothingBecause', 'contradicts the datasets')
  const finds = datasets.length > 0 || actions.includes('resolve')
  if (finds && identityTypes.length === 0) add('/identityTypes', 'names at least one kind by which a person is found')
  if (eraseAfter.includes(name)) add('/eraseAfter', 'names the adapter itself')
  return faults
}

/** A dataset with a field about somebody else contains third parties, and has to say so. */
const unmarked = ({ fields, containsThirdParties }: Manifest['datasets'][number], i: number): Fault[] =>
  !containsThirdParties && fields.some(({ thirdParty }) => thirdParty)
    ? [{ pointer: `/datasets/${i}/containsThirdParties`, detail: 'contradicts a field that is about somebody else' }]
    : []

function repeated<T>(items: readonly T[], keyOf: (item: T) => string, before: string, after: string): Fault[] {
  const seen = new Set<string>()
  return items.flatMap((item, i) => {
    const key = keyOf(item)
    if (seen.has(key)) return [{ pointer: `${before}/${i}${after}`, detail: 'is there twice' }]
    seen.add(key)
    return []
  })
}
