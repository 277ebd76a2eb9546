import { MARKER } from '../domain/withheld.ts'
import { otherColumn } from '../platform/csv.ts'
import type { Listed } from './bag.ts'
import type { Messages } from './messages.ts'
import type { DatasetAnswer, PackageInput } from './package-input.ts'
import { datasetKey, type PlacedPart } from './place-parts.ts'

/** Types of a manifest's fields that Table Schema has under the same name. */
const TYPES = ['string', 'number', 'integer', 'boolean', 'date', 'datetime', 'time', 'duration', 'object', 'array']

/** A Frictionless Data Package (version 2) of all payload files: size, digest, and for tables what their columns are. */
export function dataPackage(input: PackageInput, summary: Listed, placed: readonly PlacedPart[], { say }: Messages): object {
  const { requestId, right, assembledAt, policy, adapters } = input
  const datasets = new Map(adapters.flatMap(({ name, datasets }) => datasets.map(d => [datasetKey(name, d.name), d] as const)))
  return {
    $schema: 'https://datapackage.org/profiles/2.0/datapackage.json',
    name: `dsar-${requestId}`,
    id: `urn:uuid:${requestId}`,
    title: say('title'),
    description: say(`package.${right}`),
    created: assembledAt.toISOString(),
    contributors: [{ title: policy.controller.name, roles: ['publisher'] }],
    resources: [
      resource(summary, 'application/json', say('section.summary')),
      ...placed.map(({ part, path, mediaType }) => {
        const dataset = datasets.get(datasetKey(part.adapter, part.dataset))
        const title = (part.kind === 'file' && part.originalName) || dataset?.title
        const listed = { path, bytes: part.bytes, sha256: part.sha256 }
        return { ...resource(listed, mediaType, title), ...(part.kind === 'table' && dataset && table(dataset)) }
      }),
    ],
  }
}

const resource = ({ path, bytes, sha256 }: Listed, mediatype: string, title?: string) => ({
  name: path.slice('data/'.length),
  path,
  ...(title !== undefined && { title }),
  format: path.slice(path.lastIndexOf('.') + 1),
  mediatype,
  ...((mediatype === 'application/json' || mediatype === 'text/csv') && { encoding: 'utf-8' }),
  bytes,
  hash: `sha256:${sha256}`,
})

/** Of a dataset that declares no fields, the columns are those of its first record, and only the header says which. */
const table = ({ fields, withheld }: DatasetAnswer) =>
  fields.length > 0 && {
    type: 'table',
    schema: {
      fields: [
        ...fields.map(({ name, type, title }) => ({
          name,
          type: TYPES.includes(type) ? type : 'any',
          ...(title !== undefined && { title }),
        })),
        { name: otherColumn(fields.map(({ name }) => name)), type: 'object' },
      ],
      ...(withheld && { missingValues: ['', MARKER] }),
    },
  }
