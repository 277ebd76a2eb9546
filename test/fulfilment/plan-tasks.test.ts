import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Adapter } from '../../src/adapters/adapters.store.ts'
import type { Dataset, Manifest } from '../../src/adapters/protocol.ts'
import { planTasks } from '../../src/fulfilment/plan-tasks.ts'
import type { NewTask } from '../../src/tasks/tasks.store.ts'

type Asked = Parameters<typeof planTasks>[0]

const ALL: Manifest['actions'] = ['locate', 'collect', 'erase', 'rectify']
const about = (
  right: Asked['request']['right'],
  details: Asked['details'] = {},
  scope: { categories?: string[] } = {},
): Asked => ({
  request: { right, scope },
  details,
  refused: [],
  controllerOf: () => undefined,
})
const dataset = (name: string, more: Partial<Dataset> = {}): Dataset => ({
  ...{ name, title: name, category: 'account', origin: 'provided', purposes: ['provide_service'], legalBases: ['contract'] },
  ...{ retention: 'account_data', fields: [{ name: 'name', type: 'string', title: 'Name' }], sensitive: false },
  ...{ recipients: [], containsThirdParties: false },
  ...more,
})

function adapter(
  name: string,
  more: { actions?: Manifest['actions']; eraseAfter?: string[]; datasets?: Manifest['datasets'] } = {},
): Adapter {
  const { actions = ALL, eraseAfter = [], datasets = [dataset('things')] } = more
  const limits = { concurrency: 4, perMinute: 600, batch: 1 }
  const of: Manifest = {
    protocol: 'dsar-adapter/1',
    name,
    actions,
    identityTypes: [],
    limits,
    eraseAfter,
    cancellable: false,
    datasets,
  } as const
  const at = new Date()
  return {
    ...{
      id: name,
      name,
      title: name,
      kind: 'service',
      settings: {},
      owner: null,
      baseUrl: 'http://adapter.example',
      state: 'live',
      contactVersion: 1,
      contactBy: 'support_agent|o',
      liveSince: new Date(),
      manifest: of,
    },
    ...{ concurrency: 4, perMinute: 600, version: 1, createdAt: at, changedAt: at },
  }
}

const erasing = (adapters: Adapter[]) => planTasks(about('erasure'), adapters, ['erase', 'confirm_erased'])
const eraseOf = (tasks: NewTask[], name: string) => tasks.find(task => task.adapter === name && task.action === 'erase')
const waitsFor = (tasks: NewTask[], name: string) =>
  (eraseOf(tasks, name)?.after ?? []).map(id => tasks.find(task => task.id === id)?.adapter).sort()

describe('an erasure', () => {
  test('asks whoever knows who is who last, and each before it is looked into', () => {
    const tasks = erasing([adapter('people', { actions: [...ALL, 'resolve'] }), adapter('shop'), adapter('forum')])
    expect(waitsFor(tasks, 'people')).toEqual(['forum', 'shop'])
    const look = tasks.find(task => task.adapter === 'shop' && task.action === 'confirm_erased')
    expect(look?.after).toEqual([eraseOf(tasks, 'shop')?.id])
  })

  test('keeps to the order that adapters ask for', () => {
    const tasks = erasing([adapter('a', { eraseAfter: ['b'] }), adapter('b', { eraseAfter: ['c'] }), adapter('c')])
    expect([waitsFor(tasks, 'a'), waitsFor(tasks, 'b'), waitsFor(tasks, 'c')]).toEqual([['b'], ['c'], []])
  })

  test('shows what cannot be done by itself, and looks where nothing could be counted, by hand', () => {
    const tasks = erasing([adapter('paper', { actions: ['collect'] })])
    expect(tasks.map(({ action, problem }) => [action, problem?.code])).toEqual([
      ['erase', 'not_supported'],
      ['confirm_erased', 'not_supported'],
    ])
  })

  test('never has two wait for each other, whatever order they ask for', () => {
    const names = ['a', 'b', 'c', 'd', 'e']
    const house = fc.tuple(...names.map(() => fc.tuple(fc.subarray(names), fc.boolean())))
    fc.assert(
      fc.property(house, wishes => {
        const tasks = erasing(
          names.map((name, i) => {
            const [eraseAfter = [], authority = false] = wishes[i] ?? []
            return adapter(name, { eraseAfter, actions: authority ? [...ALL, 'resolve'] : ALL })
          }),
        )
        const done = new Set<string>()
        for (let left = [...tasks]; left.length > 0; ) {
          const next = left.filter(({ after = [] }) => after.every(id => done.has(id)))
          expect(next.length).toBeGreaterThan(0)
          for (const { id } of next) done.add(id)
          left = left.filter(({ id }) => !done.has(id))
        }
      }),
    )
  })
})

describe('what a right is about', () => {
  const datasets = [
    dataset('profile'),
    dataset('clicks', { purposes: ['analytics'], legalBases: ['legitimate_interest'], category: 'usage' }),
    dataset('newsletter', { purposes: ['marketing'], legalBases: ['consent'], category: 'marketing' }),
  ]
  const asked = (...what: Parameters<typeof about>) =>
    planTasks(about(...what), [adapter('a', { datasets, actions: [...ALL, 'object', 'withdraw_consent'] })], ['erase']).flatMap(
      ({ config, answer }) => (answer ? ['nothing'] : config.datasets.map(({ name }) => name)),
    )

  test('is, for a correction, the datasets that have the field', () => {
    expect(asked('rectification', { corrections: [{ dataset: 'profile', field: 'name', from: 'y', to: 'x' }] })).toEqual([
      'profile',
    ])
    expect(asked('rectification', { corrections: [{ dataset: 'profile', field: 'colour', from: 'y', to: 'x' }] })).toEqual([
      'nothing',
    ])
  })

  test('is, for an objection, what serves the purpose', () => {
    expect(asked('objection', { purposes: ['analytics'] })).toEqual(['clicks'])
    expect(asked('marketing_opt_out', {})).toEqual(['newsletter'])
  })

  test('is, for consent, what rests on it', () => {
    expect(asked('consent_withdrawal', { purposes: ['marketing'] })).toEqual(['newsletter'])
    expect(asked('consent_withdrawal', { cookies: ['analytics'] })).toEqual(['nothing'])
  })

  test('is no more than the categories it was narrowed to', () => {
    expect(asked('erasure', {}, { categories: ['usage'] })).toEqual(['clicks'])
  })
})
