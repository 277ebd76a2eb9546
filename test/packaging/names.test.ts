import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { plainMediaType, treatmentOf } from '../../src/packaging/media-type.ts'
import { slugs } from '../../src/packaging/slugs.ts'
import { adapter, build, dataset, part } from '../support/package-builder.ts'

const HOSTILE = [
  '../../etc/passwd',
  'a/../../b',
  './../x',
  'C:\\x',
  '\\\\srv\\x',
  'a\0b',
  'gpj.\u202Eexe',
  'x'.repeat(70_000),
  'CON',
  'con',
  'Con.txt',
  '=cmd|calc.csv',
  '100%25\r\nX: y',
  '',
  '.',
  '..',
  'A-b',
  'a_b',
  'a-b-2',
]

describe('a name in the package', () => {
  test('T80 is made of harmless letters, differs from every other, and is short, whatever the names outside are', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...HOSTILE))), names => {
        const given = slugs(names)
        expect([...given.keys()]).toEqual(names)
        expect(new Set(given.values()).size).toBe(names.length)
        for (const slug of given.values()) {
          expect(slug).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
          expect(slug).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)$/)
          expect(slug.length).toBeLessThanOrEqual(70)
        }
      }),
    )
  })

  test('keeps what is readable in a name', () => {
    expect([...slugs(['billing', 'audit_log', 'audit-log', 'CON', '']).values()]).toEqual([
      'billing',
      'audit-log',
      'audit-log-2',
      'con-2',
      'unnamed',
    ])
  })

  test('of an attachment is ours; the one from outside stands only inside JSON and HTML', async () => {
    const { files } = await build({
      adapters: HOSTILE.map(name => adapter({ name, datasets: [dataset({ name })] })),
      parts: HOSTILE.map(name =>
        part('x', { kind: 'file', number: 1, mediaType: 'text/plain', originalName: name }, [name, name]),
      ),
    })
    const payload = [...files.keys()].filter(path => path.startsWith('data/') && path !== 'data/summary.json')
    expect(payload).toHaveLength(HOSTILE.length)
    for (const path of payload) expect(path).toMatch(/^data\/[a-z0-9-]+\/[a-z0-9-]+\/\d{4}\.[a-z0-9]{1,8}$/)
    const { resources } = JSON.parse(files.get('datapackage.json')?.toString() ?? '')
    expect(resources.slice(1).map(({ title }: { title: string }) => title)).toEqual(HOSTILE.map(name => name || 'Invoices'))
  })
})

describe('the extension of an attachment', () => {
  test.each([
    ['application/pdf', 'pdf', true],
    ['IMAGE/JPEG', 'jpg', true],
    ['text/plain; charset=utf-8', 'txt', false],
    ['text/html', 'txt', false],
    ['image/svg+xml', 'txt', false],
    ['application/x-msdownload', 'bin', false],
    ['../exe', 'bin', false],
    ['constructor', 'bin', false],
    ['', 'bin', false],
  ])('for %j is .%s', (mediaType, extension, stored) => {
    expect(treatmentOf(plainMediaType(mediaType))).toEqual({ extension, stored })
  })
})
