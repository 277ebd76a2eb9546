import { createHash, createSecretKey } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { AdapterAnswer, DatasetAnswer, PackageInput, Part } from '../../src/packaging/package-input.ts'
import { type PackageFacts, writePackage } from '../../src/packaging/write-package.ts'
import { signerFrom } from '../../src/platform/signing.ts'
import { loadPolicy } from '../../src/policy/load-policy.ts'
import { readZip } from './zip-reader.ts'

export const policy = loadPolicy()
export const REQUEST = '0198c3f2-7c5e-7b1a-9d53-2f6a1b0c4d5e'
export const FOLDER = `dsar-${REQUEST}`
export const signer = signerFrom({ id: 'seal-2026', key: createSecretKey(Buffer.alloc(32, 7)) })

export const dataset = (own: Partial<DatasetAnswer> = {}): DatasetAnswer => ({
  name: 'invoices',
  title: 'Invoices',
  category: 'billing',
  origin: 'provided',
  purposes: ['billing'],
  legalBases: ['contract'],
  retention: 'financial_records',
  recipients: ['Stripe'],
  fields: [{ name: 'amount', type: 'number', title: 'Amount in euro' }],
  containsThirdParties: false,
  outcome: 'completed',
  count: 1,
  ...own,
})

export const adapter = (own: Partial<AdapterAnswer> = {}): AdapterAnswer => ({
  name: 'billing',
  title: 'Billing',
  status: 'answered',
  answeredAt: new Date('2026-11-20T10:00:00Z'),
  datasets: [dataset()],
  ...own,
})

type Kind = { kind: 'records' } | { kind: 'table' } | { kind: 'file'; number: number; mediaType: string; originalName?: string }

/** A part whose declared size and digest are those of `content`. */
export function part(
  content: string | Buffer,
  kind: Kind = { kind: 'records' },
  of = ['billing', 'invoices'],
): { open(): Promise<Readable> } & Part {
  const bytes = Buffer.from(content)
  const [adapter = '', dataset = ''] = of
  return {
    ...kind,
    adapter,
    dataset,
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    open: async () => Readable.from([bytes]),
  }
}

export const packageInput = (own: Partial<PackageInput> = {}): PackageInput => ({
  requestId: REQUEST,
  right: 'access',
  receivedAt: new Date('2026-11-18T09:30:00Z'),
  assembledAt: new Date('2026-11-21T12:34:56Z'),
  locale: 'en',
  policy,
  adapters: [adapter()],
  forwardings: [],
  parts: [part('[{"amount":-5}]')],
  signer,
  ...own,
})

/** The whole package in memory: the ZIP, what was said of it, and its files by their path in the bag. */
export async function build(
  own: Partial<PackageInput> = {},
): Promise<{ zip: Buffer; facts: PackageFacts; files: Map<string, Buffer> }> {
  const { stream, done } = writePackage(packageInput(own))
  const zip = await buffer(stream)
  const files = new Map<string, Buffer>()
  for (const { name, content } of readZip(zip)) {
    if (!name.startsWith(`${FOLDER}/`) || files.has(name.slice(FOLDER.length + 1))) throw new Error(`misplaced: ${name}`)
    files.set(name.slice(FOLDER.length + 1), content)
  }
  return { zip, facts: await done, files }
}
