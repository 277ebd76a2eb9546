import { spawnSync } from 'node:child_process'
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { PackageInput, Part } from '../../src/packaging/package-input.ts'
import { writePackage } from '../../src/packaging/write-package.ts'
import { bagFaults } from '../support/bagit-check.ts'
import { adapter, build, dataset, FOLDER, packageInput, part, signer } from '../support/package-builder.ts'
import { readZip } from '../support/zip-reader.ts'

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const photo = part(randomBytes(5000), { kind: 'file', number: 2, mediaType: 'image/jpeg' })
const note = part('a note, '.repeat(500), { kind: 'file', number: 1, mediaType: 'text/plain', originalName: 'secret name.txt' })
const table = part('amount,_other\r\n-5,\r\n', { kind: 'table' })
const records = part('[{"amount":-5}]')
const parts = [photo, table, note, records]

describe('a package', () => {
  test('is one folder with a valid bag in it, in a fixed order', async () => {
    const { files } = await build({ parts })
    expect(bagFaults(files)).toEqual([])
    expect([...files.keys()]).toEqual([
      'bagit.txt',
      'index.html',
      'datapackage.json',
      'bag-info.txt',
      'manifest-sha256.txt',
      'signature.pem',
      'signature.json',
      'tagmanifest-sha256.txt',
      'tagmanifest-sha256.txt.sig',
      'data/summary.json',
      'data/billing/invoices.json',
      'data/billing/invoices.csv',
      'data/billing/invoices/0001.txt',
      'data/billing/invoices/0002.jpg',
    ])
    expect(files.get('data/billing/invoices/0002.jpg')).toEqual(await photo.open().then(buffer))
  })

  test('is described by its facts', async () => {
    const { zip, files, facts } = await build({ parts })
    const payload = [...files].filter(([path]) => path.startsWith('data/')).map(([, content]) => content.length)
    expect(facts).toEqual({
      bytes: zip.length,
      sha256: sha256(zip),
      entries: files.size,
      payloadOxum: `${payload.reduce((a, b) => a + b)}.${payload.length}`,
      manifestSha256: sha256(files.get('manifest-sha256.txt') ?? Buffer.alloc(0)),
      complete: true,
    })
  })

  test('is the same to the byte for the same input, in whatever order the parts come', async () => {
    const [one, other] = [await build({ parts }), await build({ parts: parts.toReversed() })]
    expect(other.zip.equals(one.zip)).toBe(true)
  })

  test('dates its files when it was assembled and does not compress what is compressed or small', async () => {
    const { zip } = await build({ parts })
    const entries = readZip(zip)
    expect(new Set(entries.map(({ date }) => date.toISOString()))).toEqual(new Set(['2026-11-21T12:34:56.000Z']))
    expect(entries.filter(({ stored }) => stored).map(({ name }) => name.slice(FOLDER.length + 1))).toEqual([
      'bagit.txt',
      'bag-info.txt',
      'manifest-sha256.txt',
      'signature.pem',
      'signature.json',
      'tagmanifest-sha256.txt',
      'tagmanifest-sha256.txt.sig',
      'data/billing/invoices/0002.jpg',
    ])
  })

  test('holds the same whether a part is a stream or at hand, and compresses what is worth it', async () => {
    const long = '[{"amount":-5}]'.padEnd(1024)
    const atHand = (one: Part) => ({ ...one, open: async () => buffer((await one.open()) as Readable) })
    const tableAtHand = atHand(table)
    const { zip, files } = await build({ parts: [tableAtHand, atHand(part(long))] })
    expect([...files].flatMap(([path, bytes]) => (path.includes('invoices.') ? [[path, bytes.toString()]] : []))).toEqual([
      ['data/billing/invoices.json', long],
      ['data/billing/invoices.csv', 'amount,_other\r\n-5,\r\n'],
    ])
    const stored = readZip(zip).flatMap(entry => (entry.stored ? [entry.name.slice(FOLDER.length + 1)] : []))
    expect(stored).toContain('data/billing/invoices.csv')
    expect(stored).not.toContain('data/billing/invoices.json')
  })

  test('shows every change of any file', async () => {
    const { files } = await build({ parts })
    const paths = [...files.keys()].filter(path => !/^tagmanifest-/.test(path))
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.nat(), fc.integer({ min: 1, max: 255 }), (path, at, flip) => {
        const content = Buffer.from(files.get(path) ?? '')
        content.writeUInt8(content.readUInt8(at % content.length) ^ flip, at % content.length)
        expect(bagFaults(new Map(files).set(path, content))).not.toEqual([])
      }),
    )
    for (const path of paths) expect(bagFaults(new Map([...files].filter(([other]) => other !== path)))).not.toEqual([])
    expect(bagFaults(new Map(files).set('data/added.txt', Buffer.from('x')))).not.toEqual([])
  })

  test('is signed, and the signature covers the digests of everything else', async () => {
    const { files } = await build({ parts })
    const file = (path: string) => files.get(path) ?? Buffer.alloc(0)
    const [signed, signature] = [file('tagmanifest-sha256.txt'), file('tagmanifest-sha256.txt.sig')]
    const key = createPublicKey(file('signature.pem'))
    expect(verify(null, signed, key, signature)).toBe(true)
    expect(verify(null, Buffer.concat([signed, Buffer.from('\n')]), key, signature)).toBe(false)
    expect(JSON.parse(file('signature.json').toString())).toMatchObject({
      keyId: 'seal-2026',
      algorithm: 'Ed25519',
      publicKey: signer.publicKey,
    })
  })

  test('is not shipped under a wrong seal', () => {
    const sign: typeof signer.sign = () => ({ ...signer.sign(Buffer.from('something else')) })
    expect(() => writePackage(packageInput({ signer: { ...signer, sign } }))).toThrow('The signature does not verify')
  })

  test('holds the summary even if nothing is held', async () => {
    const { files, facts } = await build({ adapters: [adapter({ status: 'unknown_person', datasets: [] })], parts: [] })
    expect(bagFaults(files)).toEqual([])
    expect(facts.complete).toBe(true)
    expect(JSON.parse(files.get('data/summary.json')?.toString() ?? '')).toMatchObject({
      request: { right: 'access', article: '15', receivedAt: '2026-11-18T09:30:00.000Z' },
      completeness: { complete: true, dataFound: false, statement: expect.stringMatching(/^1 of 1 services answered/) },
      adapters: [{ name: 'billing', status: 'unknown_person', asOf: '2026-11-20T10:00:00.000Z', datasets: [] }],
      information: { policyVersion: '2025-01-18', categories: [], automatedDecisions: { exist: false } },
    })
  })

  test('explains each category that something may be held of, with the recipients that the manifests name', async () => {
    const datasets = [
      dataset(),
      dataset({ name: 'log', category: 'usage', recipients: ['Zendesk'], outcome: 'failed', count: 0 }),
      dataset({ name: 'ads', category: 'marketing', outcome: 'no_data', count: 0 }),
    ]
    const { files } = await build({ adapters: [adapter({ datasets })] })
    const { information } = JSON.parse(files.get('data/summary.json')?.toString() ?? '')
    const told = information.categories.map((c: { category: string; recipients: { name: string }[] }) => [
      c.category,
      c.recipients.map(({ name }) => name),
    ])
    expect(told).toEqual([
      ['billing', ['Amazon Web Services', 'Stripe']],
      ['usage', ['Amazon Web Services', 'Mixpanel', 'Zendesk']],
    ])
  })

  test('opens in every unpacker that is installed here', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'package-'))
    const path = join(folder, 'package.zip')
    writeFileSync(path, (await build({ parts })).zip)
    const python = 'import sys, zipfile; sys.exit(zipfile.ZipFile(sys.argv[1]).testzip() is not None)'
    const commands: [string, string[]][] = [
      ['unzip', ['-tqq', path]],
      ['7z', ['t', path]],
      ['python3', ['-c', python, path]],
    ]
    const runs = commands.map(([command, args]) => [command, spawnSync(command, args)] as const)
    rmSync(folder, { recursive: true })
    const installed = runs.filter(([, { error }]) => error === undefined)
    expect(installed.filter(([, { status }]) => status !== 0).map(([command]) => command)).toEqual([])
  })
})

describe('a package that cannot be true', () => {
  const failing = async (bad: Part) => {
    const { stream, done } = writePackage(packageInput({ parts: [bad] }))
    const [read, facts] = await Promise.allSettled([buffer(stream), done])
    return [read, facts].map(result => (result.status === 'rejected' ? String(result.reason) : 'succeeded'))
  }

  test.each<[string, Partial<Part>]>([
    ['another byte', { open: async () => Readable.from([Buffer.from('[{"amount":-6}]')]) }],
    ['a byte less', { open: async () => Readable.from([Buffer.from('[{"amount":-5}')]) }],
    ['endlessly more', { open: async () => Readable.from(forever()) }],
    ['nothing', { open: async () => Readable.from([]) }],
    ['another byte at hand', { open: async () => Buffer.from('[{"amount":-6}]') }],
    ['one byte more at hand', { open: async () => Buffer.from('[{"amount":-5}]\n') }],
  ])('breaks off when a part turns out to have %s', async (_, own) => {
    const why = 'Error: A part of billing/invoices is not what was declared'
    expect(await failing({ ...records, ...own } as Part)).toEqual([why, why])
  })

  test('breaks off when a part cannot be opened, or breaks off itself', async () => {
    const gone = async () => {
      throw new Error('no such blob')
    }
    const cut = async () => Readable.from(cutShort())
    expect(await failing({ ...records, open: gone })).toEqual(['Error: no such blob', 'Error: no such blob'])
    expect(await failing({ ...records, open: cut })).toEqual(['Error: wrong key', 'Error: wrong key'])
  })

  test('lets go of its source when the reader goes away', async () => {
    const source = Readable.from(forever())
    const endless = { ...records, bytes: Number.MAX_SAFE_INTEGER, open: async () => source }
    const { stream, done } = writePackage(packageInput({ parts: [endless] }))
    for await (const _ of stream) if (source.readableDidRead) break
    await expect(done).rejects.toThrow()
    await finished(source).catch(() => {})
    expect(source.destroyed).toBe(true)
  })

  test('opens one part at a time, each only when its turn has come', async () => {
    const log: string[] = []
    const many = [1, 2, 3].map(number => {
      const one = part(randomBytes(300_000), { kind: 'file', number, mediaType: 'image/png' })
      return {
        ...one,
        open: async () => {
          log.push(`open ${number}`)
          return (await one.open()).once('end', () => log.push(`end ${number}`))
        },
      }
    })
    await build({ parts: many })
    expect(log).toEqual(['open 1', 'end 1', 'open 2', 'end 2', 'open 3', 'end 3'])
  })

  test.each<[string, Partial<PackageInput>, string]>([
    ['a request without a true id', { requestId: '../x' }, 'not a UUID'],
    ['an adapter twice', { adapters: [adapter(), adapter()] }, 'The same adapter is there twice'],
    [
      'a dataset twice',
      { adapters: [adapter({ datasets: [dataset(), dataset()] })] },
      'The same dataset of billing is there twice',
    ],
    ['records and no part', { parts: [] }, 'billing/invoices has 1 records and no part'],
    [
      'a part of what failed',
      { adapters: [adapter({ datasets: [dataset({ outcome: 'failed' })] })] },
      "is 'failed' and has a part",
    ],
    [
      'no data and a count',
      { adapters: [adapter({ datasets: [dataset({ outcome: 'no_data' })] })], parts: [] },
      "is 'no_data' and has 1 records",
    ],
    [
      'a part of nobody',
      { parts: [records, part('[]', { kind: 'records' }, ['x', 'y'])] },
      'belongs to no answered dataset: x/y',
    ],
    ['the same file twice', { parts: [records, records] }, 'Two parts would be the same file'],
    ['no true digest', { parts: [{ ...records, sha256: 'abc' }] }, 'has no true size and digest'],
    ['an attachment without a number', { parts: [{ ...note, kind: 'file', number: 0, mediaType: 'a/b' }] }, 'numbered from 1'],
    ['an unknown category', { adapters: [adapter({ datasets: [dataset({ category: 'x' })] })] }, "knows no category 'x'"],
  ])('is refused before a byte is written: %s', (_, own, why) => {
    expect(() => writePackage(packageInput(own))).toThrow(why)
  })
})

async function* forever() {
  for (;;) yield Buffer.alloc(65_536)
}

async function* cutShort() {
  yield Buffer.from('[')
  throw new Error('wrong key')
}
