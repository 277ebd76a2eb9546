import { describe, expect, test } from '@jest/globals'
import type { Withheld } from '../../src/domain/withheld.ts'
import { adapter, build, dataset, part } from '../support/package-builder.ts'

const says = 'Who answered is left out.'
const author: Withheld = {
  dataset: 'invoices',
  field: 'amount',
  records: 3,
  rule: 'staff',
  reason: 'staff_identity',
  says,
}
const whole: Withheld = { dataset: 'models', records: 7, rule: 'model', reason: 'trade_secret', says: 'It is our model.' }
const adapters = [
  adapter({
    datasets: [
      dataset({ withheld: [author] }),
      dataset({ name: 'models', title: 'Models', outcome: 'withheld', count: 7, withheld: [whole] }),
    ],
  }),
]
const parts = [part('[{"amount":"x"}]'), part('amount,_other\r\nx,\r\n', { kind: 'table' })]
const filesOf = async (own = {}) => (await build({ adapters, parts, ...own })).files
const text = async (path: string, own = {}) => (await filesOf(own)).get(path)?.toString() ?? ''
const words = async (locale: string) => (await text('index.html', { locale })).replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')

describe('what was left out for the sake of others', () => {
  test('stands in the summary as it stands in the log', async () => {
    const { withheld, adapters: told } = JSON.parse(await text('data/summary.json'))
    expect(withheld).toEqual([
      { adapter: 'billing', ...author, article: '15(4)' },
      { adapter: 'billing', ...whole, article: '15(4)' },
    ])
    expect(told[0].datasets.map((one: object) => 'withheld' in one)).toEqual([false, false])
  })

  test('rests on Art. 20(4) in a portable copy', async () => {
    const { withheld } = JSON.parse(await text('data/summary.json', { right: 'portability' }))
    expect(withheld.map(({ article }: { article: string }) => article)).toEqual(['20(4)', '20(4)'])
  })

  test('makes the answer a partial one of an adapter that answered', async () => {
    const { completeness } = JSON.parse(await text('data/summary.json'))
    expect(completeness).toMatchObject({ complete: false, answered: 1, asked: 1, dataFound: true })
    expect(completeness.missing.map(({ dataset, why }: { dataset: string; why: string }) => [dataset, why])).toEqual([
      ['invoices', 'redacted'],
      ['models', 'withheld'],
    ])
  })

  test('is told with the reason and the remedy, in both languages', async () => {
    expect(await words('en')).toMatch(
      /Billing : Invoices Amount in euro 3 It says who among our staff it was \(Art\. 15\(4\) GDPR\) Who answered is left out\./,
    )
    expect(await words('en')).toMatch(/Billing : Models All of it 7 It is a trade secret .* You can complain to .* go to court/)
    expect(await words('de')).toMatch(/Sagt, wer von unseren Beschäftigten es war \(Art\. 15\(4\) DSGVO\)/)
    expect(await words('de')).toMatch(/Was zum Schutz anderer fehlt .* Sie können sich beschweren und vor Gericht gehen/)
  })

  test('is no value to a program that reads the table', async () => {
    const { resources } = JSON.parse(await text('datapackage.json'))
    expect(resources.find(({ path }: { path: string }) => path.endsWith('.csv')).schema.missingValues).toEqual([
      '',
      '[withheld: rights of others]',
    ])
  })
})

test('nothing left out is said to be nothing', async () => {
  const plain = { adapters: [adapter()] }
  expect(JSON.parse(await text('data/summary.json', plain)).withheld).toEqual([])
  expect(await text('index.html', plain)).toContain('Nothing was left out for the sake of others.')
})

describe('what another controller answers', () => {
  const forwarding = {
    controller: 'University & Co',
    contact: 'mailto:privacy@university.example',
    datasets: [{ adapter: 'billing', dataset: 'invoices', title: 'Invoices' }],
    forwardedOn: '2026-11-20',
    dueOn: '2026-12-20',
  } as const
  const own = {
    adapters: [adapter({ datasets: [dataset({ outcome: 'forwarded', count: 0, reason: forwarding.controller })] })],
    forwardings: [forwarding],
    parts: [],
  }

  test('is missing here, and the person reads who has it and until when', async () => {
    const { completeness, forwarded } = JSON.parse(await text('data/summary.json', own))
    expect(completeness).toMatchObject({ complete: false, missing: [{ dataset: 'invoices', why: 'forwarded' }] })
    expect(forwarded).toEqual([forwarding])
    const page = await text('index.html', { ...own, locale: 'de' })
    expect(page).toContain('an University &amp; Co weitergeleitet')
    expect(page).toContain('Die Antwort ist bis zum 2026-12-20 fällig.')
    expect(page).toContain('href="mailto:privacy@university.example"')
  })
})
