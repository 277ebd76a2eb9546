import { validateManifest } from '../adapters/manifest.ts'
import type { Manifest } from '../adapters/protocol.ts'
import type { Column } from './catalogue.ts'
import type { Description } from './description.ts'
import type { Model } from './model.ts'

/** What a described database can be asked for; without somebody who may change it, it is only read. @throws Problem `manifest_refused` */
export function manifestOf({ description, entries }: Model, canChange: boolean): Manifest {
  const { name, region, eraseAfter = [], limits, subject } = description
  return validateManifest({
    protocol: 'dsar-adapter/1',
    name,
    ...(region !== undefined && { region }),
    actions: actionsOf(description, canChange),
    identityTypes: Object.keys(subject.identities).map(type => ({ type })),
    eraseAfter,
    ...(limits && { limits }),
    datasets: [...entries.values()].map(({ name: dataset, described, table, edges }) => {
      const { title, category, origin, purposes, legalBases, retention, sensitive = false, recipients = [], columns } = described
      const fields = Object.entries(columns).flatMap(([held, { title: called, thirdParty, freeText, file }]) =>
        file
          ? []
          : [
              {
                name: held,
                type: typeOf(table.columns.get(held)),
                ...(called !== undefined && { title: called }),
                ...(thirdParty && { thirdParty }),
                ...(freeText && { freeText }),
              },
            ],
      )
      const containsThirdParties = edges.some(({ detached }) => detached) || fields.some(({ thirdParty }) => thirdParty)
      const means = { title, category, origin, purposes, legalBases, retention, sensitive, recipients }
      return { name: dataset, ...means, fields, containsThirdParties }
    }),
  })
}

function actionsOf({ resolve, subject, tables }: Description, canChange: boolean): Manifest['actions'] {
  const all = Object.values(tables)
  const canRectify = all.some(({ columns }) => Object.values(columns).some(({ rectify }) => rectify))
  const canRestrict = subject.restriction !== undefined || all.some(({ restriction }) => restriction)
  return [
    ...(resolve ? (['resolve'] as const) : []),
    'locate',
    'collect',
    ...(canChange && canRectify ? (['rectify'] as const) : []),
    ...(canChange ? (['erase'] as const) : []),
    ...(canChange && canRestrict ? (['restrict', 'lift_restriction'] as const) : []),
  ]
}

/** As the fields of other manifests are typed. */
function typeOf(column: Column | undefined): string {
  const { category, base = '' } = column ?? {}
  if (category === 'N') return /^int/.test(base) ? 'integer' : 'number'
  if (category === 'B') return 'boolean'
  if (category === 'A') return 'array'
  if (category === 'D') return base === 'date' ? 'date' : base.startsWith('timestamp') ? 'datetime' : 'time'
  return base.startsWith('json') ? 'object' : 'string'
}
