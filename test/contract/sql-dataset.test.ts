import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { Description } from '../../src/sql/description.ts'

const FILE = new URL('../../openapi/sql-dataset.schema.json', import.meta.url)

test('the published schema is the one that descriptions of databases are read by (`npm run openapi` writes it anew)', () => {
  const schema = `${JSON.stringify(Description, null, 2)}\n`
  if (process.env.UPDATE_OPENAPI) writeFileSync(FILE, schema)
  expect(readFileSync(FILE, 'utf8')).toBe(schema)
})
