import type { AdapterDefinition, Found } from './definition.ts'
import type { Action, DatasetDescription, Manifest } from './protocol.ts'
import { EFFECT_ACTIONS } from './protocol.ts'

const NAME = /^[a-z][a-z0-9_]{0,62}$/

/** What the adapter tells about itself. @throws Error when the definition cannot be right, so that it fails at start. */
export function manifestOf<Person extends Found>(definition: AdapterDefinition<Person>): Manifest {
  const datasets = Object.entries(definition.datasets).map(([name, dataset]) => {
    if (!NAME.test(name)) throw new Error(`The name of a dataset is lower-case letters, digits and underscores: "${name}".`)
    if (!dataset.records && !dataset.files) throw new Error(`Dataset "${name}" has neither records nor files.`)
    return describe(name, dataset)
  })
  if (!NAME.test(definition.name)) throw new Error('The name of an adapter is lower-case letters, digits and underscores.')
  if (datasets.length === 0 && !definition.holdsNothingBecause)
    throw new Error('An adapter without datasets says why (holdsNothingBecause).')
  if (definition.identityTypes.length === 0) throw new Error('An adapter understands at least one type of identity.')
  return {
    protocol: 'dsar-adapter/1',
    name: definition.name,
    ...(definition.region && { region: definition.region }),
    actions: actionsOf(definition),
    identityTypes: definition.identityTypes,
    limits: definition.limits ?? {},
    eraseAfter: definition.eraseAfter ?? [],
    expectedDuration: definition.expectedDuration ?? 'PT5S',
    cancellable: definition.cancellable ?? false,
    datasets,
    ...(definition.holdsNothingBecause && { holdsNothingBecause: definition.holdsNothingBecause }),
  }
}

/** Of a dataset, what is told: not the functions that stand beside it. */
function describe(name: string, dataset: DatasetDescription): Manifest['datasets'][number] {
  const { title, category, origin, purposes, legalBases, retention, fields, recipients } = dataset
  return {
    name,
    ...{ title, category, origin, purposes, legalBases, retention },
    ...(fields && { fields }),
    ...(dataset.sensitive && { sensitive: true }),
    ...(recipients && { recipients }),
    ...((dataset.containsThirdParties || fields?.some(field => field.thirdParty)) && { containsThirdParties: true }),
  }
}

/** Exactly what there is a function for. */
function actionsOf<Person extends Found>({ resolve, perform, datasets }: AdapterDefinition<Person>): Action[] {
  const effects = EFFECT_ACTIONS.filter(
    action => perform?.[action] || Object.values(datasets).some(dataset => dataset[action] !== undefined),
  )
  return [...(resolve ? (['resolve'] as const) : []), 'locate', 'collect', ...effects]
}
