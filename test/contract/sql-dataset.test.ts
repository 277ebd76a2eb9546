import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { checkManifest } from '../../src/policy/check-manifest.ts'
import { loadPolicy } from '../../src/policy/load-policy.ts'
import { Description } from '../../src/sql/description.ts'
import { parseDescription } from '../../src/sql/description-file.ts'
import { readDescription } from '../../src/sql/read-description.ts'

const FILE = new URL('../../openapi/sql-dataset.schema.json', import.meta.url)

test('the published schema is the one that descriptions of databases are read by (`npm run openapi` writes it anew)', () => {
  const schema = `${JSON.stringify(Description, null, 2)}\n`
  if (process.env.UPDATE_OPENAPI) writeFileSync(FILE, schema)
  expect(readFileSync(FILE, 'utf8')).toBe(schema)
})

test('the example in the read-me is a description that can be used', () => {
  const readMe = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const [, example = ''] = /## A database as an adapter.*?```yaml\n(.*?)```/s.exec(readMe) ?? []
  const read = readDescription(parseDescription(example))
  if ('faults' in read) throw new Error(JSON.stringify(read.faults))
  const datasets = Object.entries(read.description.tables).map(([name, described]) => ({ name, ...described }))
  expect(checkManifest(loadPolicy(), { name: 'shop', datasets })).toEqual([])
})
