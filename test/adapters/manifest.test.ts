import { describe, expect, test } from '@jest/globals'
import { validateManifest } from '../../src/adapters/manifest.ts'
import { Problem } from '../../src/domain/problem.ts'

const dataset = {
  name: 'invoices',
  title: 'Invoices',
  category: 'billing',
  origin: 'provided',
  purposes: ['contract'],
  legalBases: ['contract'],
  retention: 'financial_records',
}
const manifest = {
  protocol: 'dsar-adapter/1',
  name: 'billing',
  actions: ['locate', 'collect'],
  identityTypes: [{ type: 'user_id' }],
  datasets: [dataset],
}
const pointersFor = (json: unknown): string[] => {
  try {
    validateManifest(json)
    return []
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'manifest_refused') throw error
    return error.errors.map(({ pointer }) => pointer)
  }
}

describe('a manifest', () => {
  test('says little and means the defaults', () => {
    expect(validateManifest(manifest)).toEqual({
      ...manifest,
      limits: { concurrency: 4, perMinute: 600, batch: 1 },
      eraseAfter: [],
      cancellable: false,
      datasets: [{ ...dataset, fields: [], recipients: [], sensitive: false, containsThirdParties: false }],
    })
  })

  test('that marks a field as about somebody else says that its dataset contains third parties', () => {
    const told = { ...dataset, fields: [{ name: 'author', thirdParty: true }] }
    expect(pointersFor({ ...manifest, datasets: [told] })).toEqual(['/datasets/0/containsThirdParties'])
    expect(pointersFor({ ...manifest, datasets: [{ ...told, containsThirdParties: true }] })).toEqual([])
  })

  test('keeps what it says', () => {
    const full = {
      ...manifest,
      region: 'eu-west-1',
      identityTypes: [{ type: 'email', formats: ['raw', 'sha256'] }],
      limits: { concurrency: 8, perMinute: 60, batch: 2 },
      eraseAfter: ['crm'],
      expectedDuration: 'PT5S',
      cancellable: true,
      datasets: [
        {
          ...dataset,
          fields: [{ name: 'amountNet', type: 'number', title: 'Amount' }],
          sensitive: true,
          recipients: ['Stripe'],
          containsThirdParties: true,
        },
      ],
    }
    expect(validateManifest(full)).toEqual(full)
  })

  test('may say more than is known here, which is dropped', () => {
    expect(validateManifest({ ...manifest, colour: 'red', datasets: [{ ...dataset, colour: 'red' }] })).toEqual(
      validateManifest(manifest),
    )
  })

  test('of a service that holds nothing says why', () => {
    const nothing = { ...manifest, datasets: [], identityTypes: [], actions: ['locate'] }
    expect(pointersFor(nothing)).toEqual(['/holdsNothingBecause'])
    expect(pointersFor({ ...nothing, holdsNothingBecause: 'Only counters, no people.' })).toEqual([])
    expect(pointersFor({ ...manifest, holdsNothingBecause: 'Nothing to see here.' })).toEqual(['/holdsNothingBecause'])
  })

  test.each<[string, Record<string, unknown>, string]>([
    ['another protocol', { protocol: 'dsar-adapter/2' }, '/protocol'],
    ['a name with capitals', { name: 'Billing' }, '/name'],
    ['a name that leads elsewhere', { name: '../billing' }, '/name'],
    ['a name of 64 characters', { name: 'a'.repeat(64) }, '/name'],
    ['an action that does not exist', { actions: ['explode'] }, '/actions/0'],
    ['no actions', { actions: [] }, '/actions'],
    ['no way to find a person', { identityTypes: [] }, '/identityTypes'],
    ['a kind of identity twice', { identityTypes: [{ type: 'email' }, { type: 'email' }] }, '/identityTypes/1/type'],
    ['no concurrency at all', { limits: { concurrency: 0 } }, '/limits/concurrency'],
    ['a dataset twice', { datasets: [dataset, dataset] }, '/datasets/1/name'],
    ['a dataset name with a space', { datasets: [{ ...dataset, name: 'in voices' }] }, '/datasets/0/name'],
    ['an unknown origin', { datasets: [{ ...dataset, origin: 'stolen' }] }, '/datasets/0/origin'],
    ['no legal basis', { datasets: [{ ...dataset, legalBases: [] }] }, '/datasets/0/legalBases'],
    ['a field twice', { datasets: [{ ...dataset, fields: [{ name: 'a' }, { name: 'a' }] }] }, '/datasets/0/fields/1/name'],
    ['itself among those to erase first', { eraseAfter: ['billing'] }, '/eraseAfter'],
    ['a duration that is none', { expectedDuration: 'PT' }, '/expectedDuration'],
    ['201 datasets', { datasets: Array.from({ length: 201 }, (_, i) => ({ ...dataset, name: `d${i}` })) }, '/datasets'],
    ['a title of a megabyte', { datasets: [{ ...dataset, title: 'x'.repeat(1e6) }] }, '/datasets/0/title'],
  ])('with %s is refused, pointing at it', (_, change, pointer) => {
    expect(pointersFor({ ...manifest, ...change })).toContain(pointer)
  })

  test.each([null, 'x', 7, [], {}, [manifest], { ...manifest, datasets: {} }, { ...manifest, limits: 'none' }])(
    '%j is refused',
    json => {
      expect(pointersFor(json).length).toBeGreaterThan(0)
    },
  )

  test('is told at most twenty faults at once', () => {
    expect(pointersFor({ ...manifest, datasets: Array.from({ length: 100 }, () => dataset) })).toHaveLength(20)
  })
})
