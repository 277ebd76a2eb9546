import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { Ajv } from 'ajv'
import formats from 'ajv-formats'
import { csvHeader } from '../../src/platform/csv.ts'
import { readCsv } from '../support/csv-reader.ts'
import { adapter, build, dataset, part, REQUEST } from '../support/package-builder.ts'

const PROFILE = new URL('../../../shared/vectors/datapackage-2.0.profile.json', import.meta.url)
const hasProfile = existsSync(PROFILE)

const fields = [
  { name: 'at', type: 'datetime', title: 'When' },
  { name: 'ip', type: 'inet' },
]
const built = build({
  adapters: [
    adapter(),
    adapter({ name: 'lms', datasets: [dataset({ name: 'log', category: 'usage', fields, recipients: [] })] }),
  ],
  parts: [
    part('[{"amount":-5}]'),
    part('[{"at":"2026-01-01T00:00:00Z"}]', { kind: 'records' }, ['lms', 'log']),
    part(`${csvHeader(['at', 'ip'])}2026-01-01T00:00:00Z,10.0.0.1,\r\n`, { kind: 'table' }, ['lms', 'log']),
    part('%PDF', { kind: 'file', number: 1, mediaType: 'application/pdf', originalName: 'Prüfung "1".pdf' }, ['lms', 'log']),
  ],
})

interface Resource {
  name: string
  path: string
  bytes: number
  hash: string
  title: string
  schema?: { fields: { name: string; type: string; title?: string }[] }
}

const descriptor = async (): Promise<{ id: string; resources: Resource[] }> =>
  JSON.parse((await built).files.get('datapackage.json')?.toString() ?? '')

describe('the data package', () => {
  test('has a resource for every payload file, with its true size and digest', async () => {
    const { files } = await built
    const { id, resources } = await descriptor()
    expect(id).toBe(`urn:uuid:${REQUEST}`)
    expect(resources.map(({ path }) => path)).toEqual([...files.keys()].filter(path => path.startsWith('data/')))
    expect(new Set(resources.map(({ name }) => name)).size).toBe(resources.length)
    for (const { path, bytes, hash } of resources) {
      const content = files.get(path) ?? Buffer.alloc(0)
      expect(bytes).toBe(content.length)
      expect(hash).toBe(`sha256:${createHash('sha256').update(content).digest('hex')}`)
    }
  })

  test('describes no columns where none were declared: the header has those of the first record', async () => {
    const undeclared = await build({
      adapters: [adapter({ datasets: [dataset({ fields: [] })] })],
      parts: [part('[{"amount":-5}]'), part(`${csvHeader(['amount'])}-5,\r\n`, { kind: 'table' })],
    })
    const { resources } = JSON.parse(undeclared.files.get('datapackage.json')?.toString() ?? '')
    const table = resources.find(({ path }: Resource) => path.endsWith('.csv'))
    expect([table.mediatype, table.type, table.schema]).toEqual(['text/csv', undefined, undefined])
  })

  test('describes each column of a table, in the order of its header', async () => {
    const table = (await descriptor()).resources.find(({ path }) => path.endsWith('.csv'))
    expect(table?.schema?.fields).toEqual([
      { name: 'at', type: 'datetime', title: 'When' },
      { name: 'ip', type: 'any' },
      { name: '_other', type: 'object' },
    ])
    const [header] = readCsv((await built).files.get(table?.path ?? '')?.toString() ?? '')
    expect(header).toEqual(table?.schema?.fields.map(({ name }) => name))
  })

  test('keeps the name that an attachment had', async () => {
    expect((await descriptor()).resources.at(-1)).toMatchObject({ path: 'data/lms/log/0001.pdf', title: 'Prüfung "1".pdf' })
  })

  test(`${hasProfile ? 'is valid after' : 'was not held against, for want of it,'} the official profile of version 2`, async () => {
    if (!hasProfile) return
    const ajv = new Ajv({ strict: false, allErrors: true, formats: { textarea: true } })
    formats.default(ajv)
    const validate = ajv.compile(JSON.parse(readFileSync(PROFILE, 'utf8')))
    validate(await descriptor())
    expect(validate.errors ?? []).toEqual([])
    expect(validate({ ...(await descriptor()), resources: [{ name: 'x', path: '../x' }] })).toBe(false)
  })
})
