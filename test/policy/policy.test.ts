import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parseDocument } from 'yaml'
import { articleFifteen } from '../../src/policy/article-fifteen.ts'
import { checkManifest } from '../../src/policy/check-manifest.ts'
import { exampleValues, loadPolicy } from '../../src/policy/load-policy.ts'
import { CATEGORIES } from '../../src/policy/policy.ts'

const FILE = new URL('../../src/policy/almastack-2025-01-18.yaml', import.meta.url)
const policy = loadPolicy()

/** What loading says about the shipped policy with one value changed, or taken out. */
function complaintAbout(path: (string | number)[], value?: unknown): string {
  const document = parseDocument(readFileSync(FILE, 'utf8'))
  if (value === undefined) document.deleteIn(path)
  else document.setIn(path, value)
  const folder = mkdtempSync(join(tmpdir(), 'policy-'))
  try {
    writeFileSync(join(folder, 'policy.yaml'), document.toString())
    loadPolicy(join(folder, 'policy.yaml'))
    return 'none'
  } catch (error) {
    return error instanceof Error ? error.message.split('\n').slice(1).join('\n').trim() : ''
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe('the privacy policy', () => {
  test('says what the published text of 18 January 2025 says', () => {
    expect(policy).toMatchObject({
      version: '2025-01-18',
      promiseDays: 30,
      minimumAge: 13,
      retention: {
        account_data: { from: 'account_deletion', period: 'P30D' },
        usage_data: { period: 'P2Y' },
        financial_records: { period: 'P7Y' },
        support_communications: { period: 'P3Y' },
      },
    })
    expect(Object.keys(policy.categories)).toEqual([...CATEGORIES])
  })

  test('lists what the operator has yet to fill in', () => {
    expect(exampleValues(policy)).toEqual([
      '/controller/contacts/privacyOfficer',
      '/controller/contacts/dataProtectionOfficer',
      '/controller/contacts/support',
    ])
  })

  test.each<[string, (string | number)[], unknown, string]>([
    ['a change of nothing', ['version'], '2025-01-18', 'none'],
    [
      'no statute for the financial records',
      ['retention', 'financial_records', 'statute'],
      undefined,
      '/retention/financial_records: must have required properties statute',
    ],
    ['a category left out', ['categories', 'device'], undefined, '/categories: must have required properties device'],
    ['a category too many', ['categories', 'secrets'], {}, '/categories/secrets: is not part of a policy'],
    [
      'a purpose that is none',
      ['categories', 'usage', 'purposes', 'fun'],
      ['consent'],
      '/categories/usage/purposes/fun: is not part of a policy',
    ],
    [
      'a legal basis that is none',
      ['categories', 'usage', 'purposes', 'analytics'],
      ['because'],
      '/categories/usage/purposes/analytics/0: must be equal to one of the allowed values: contract, legitimate_interest, consent, legal_obligation',
    ],
    [
      'an authority without https',
      ['supervisoryAuthority', 'url'],
      'javascript:alert(1)',
      '/supervisoryAuthority/url: must match pattern',
    ],
    [
      'a translation that leaves something out',
      ['translations', 'de', 'categories', 'usage'],
      undefined,
      '/translations/de/categories: must have required properties usage',
    ],
    ['a promise longer than the law', ['promiseDays'], 45, '/promiseDays: must be <= 30'],
    [
      'a transfer without a safeguard',
      ['recipients', 1, 'safeguard'],
      undefined,
      '/recipients/1/safeguard: Stripe is outside the EEA and has none',
    ],
  ])('%s is named by its place', (_, path, value, complaint) => {
    expect(complaintAbout(path, value)).toContain(complaint)
  })

  test('names all mistakes at once', () => {
    const all = complaintAbout(['controller'], { name: '', phone: '1' }).split('\n')
    expect(all.map(line => line.trim().split(':')[0])).toEqual(
      expect.arrayContaining(['/controller', '/controller/name', '/controller/phone']),
    )
  })
})

describe("an adapter's manifest", () => {
  const dataset = {
    name: 'invoices',
    category: 'billing',
    purposes: ['billing'],
    legalBases: ['contract', 'legal_obligation'],
    retention: 'financial_records',
    recipients: ['Stripe'],
  }

  test('passes in the words of the policy', () => {
    expect(checkManifest(policy, { datasets: [dataset] })).toEqual([])
    expect(checkManifest(policy, { datasets: [] })).toEqual([])
  })

  test('is told every word that the policy does not know, and where it stands', () => {
    const other = {
      ...dataset,
      category: 'constructor',
      purposes: ['billing', 'fun'],
      legalBases: [],
      retention: 'forever',
      recipients: ['Stripe', 'Acme'],
    }
    expect(checkManifest(policy, { datasets: [dataset, other] })).toEqual([
      {
        pointer: '/datasets/1/category',
        detail: expect.stringContaining("no category 'constructor'; it knows account, profile"),
      },
      { pointer: '/datasets/1/purposes/1', detail: expect.stringContaining("no purpose 'fun'") },
      { pointer: '/datasets/1/retention', detail: expect.stringContaining("no retention rule 'forever'") },
      { pointer: '/datasets/1/recipients/1', detail: expect.stringContaining("no recipient 'Acme'") },
      { pointer: '/datasets/1/legalBases', detail: 'Every dataset has a legal basis.' },
    ])
  })
})

describe('the information under Art. 15', () => {
  test('is complete for every category of the policy', () => {
    const { categories, ...rest } = articleFifteen(policy, CATEGORIES)
    expect(categories.map(({ category }) => category)).toEqual([...CATEGORIES])
    for (const category of categories) {
      expect(category.purposes.length).toBeGreaterThan(0)
      expect(category.purposes.every(({ legalBases }) => legalBases.length > 0)).toBe(true)
      expect(category.recipients.length).toBeGreaterThan(0)
      expect(category.retention.title).not.toBe('')
      expect(category.source).not.toBe('')
    }
    expect(rest.rights.map(({ article }) => article)).toEqual(['16', '17', '18', '20', '21', '7(3)'])
    expect(rest.complaint.url).toMatch(/^https:/)
    expect(rest.automatedDecisions.exist).toBe(false)
  })

  test('names the recipients of the policy and of the manifests once each, with country and safeguard', () => {
    const [support] = articleFifteen(policy, ['support', 'support'], { support: ['Stripe', 'Zendesk'] }).categories
    expect(support?.recipients.map(({ name }) => name)).toEqual(['Amazon Web Services', 'Stripe', 'Zendesk'])
    expect(support?.recipients.every(({ country, safeguard }) => country === 'US' && safeguard?.includes('Art. 46(2)(c)'))).toBe(
      true,
    )
  })

  test('gives the law that retention of financial records rests on', () => {
    const [billing] = articleFifteen(policy, ['billing']).categories
    expect(billing?.retention).toMatchObject({ period: 'P7Y', statute: policy.retention.financial_records.statute })
  })

  test.each([
    ['category', ['toString'], {}],
    ['recipient', ['billing'], { billing: ['Acme'] }],
  ])('refuses a %s that the policy cannot explain', (kind, categories, recipients) => {
    expect(() => articleFifteen(policy, categories, recipients)).toThrow(`knows no ${kind}`)
  })
})
