import { afterEach, describe, expect, test } from '@jest/globals'
import type { Action, AdapterDefinition, DatasetDefinition, Found, Result } from '../../src/adapter-kit/adapter.ts'
import { ANA, call, closeAdapters, DESCRIBED, startAdapter, taskFor } from './caller.ts'

afterEach(closeAdapters)

const notes: DatasetDefinition<Found> = {
  ...DESCRIBED,
  fields: [
    { name: 'text', type: 'string' },
    { name: 'title', type: 'string' },
  ],
  count: () => 2,
  records: () => [{}, {}],
}
const mailings: DatasetDefinition<Found> = {
  ...DESCRIBED,
  purposes: ['marketing'],
  legalBases: ['consent'],
  count: () => 3,
  records: () => [{}, {}, {}],
}

async function start(more: Partial<AdapterDefinition<Found>>) {
  const { url, manifest } = await startAdapter(more)
  const ask = async (action: Action, task: object = {}) => {
    const response = await call('POST', `${url}/tasks`, taskFor(action, task))
    return { status: response.status, body: (await response.json()) as Result & { code: string } }
  }
  return { ask, actions: manifest.actions }
}

const correction = { dataset: 'notes', field: 'text', from: 'one', to: 'two' }
const corrections = [correction]

describe('what a manifest declares', () => {
  test('is what there is a function for, in a dataset or for the person as a whole', async () => {
    expect((await start({ datasets: { notes } })).actions).toEqual(['locate', 'collect'])
    const { actions } = await start({
      datasets: { notes: { ...notes, rectify: () => 1 }, mailings: { ...mailings, object: () => 1, withdraw_consent: () => 1 } },
      perform: { erase: () => ({}) },
    })
    expect(actions).toEqual(['locate', 'collect', 'rectify', 'erase', 'object', 'withdraw_consent'])
  })

  test('holds no function, and nothing of what was foreseen', async () => {
    const { manifest } = await startAdapter({ datasets: { notes: { ...notes, erase: () => 2, foresee: { erase: () => 1 } } } })
    expect(Object.keys(manifest.datasets[0] ?? {})).toEqual(['name', ...Object.keys(DESCRIBED), 'fields'])
  })
})

describe('a change', () => {
  test('is done dataset by dataset, in the order of their definition', async () => {
    const order: string[] = []
    const erase = (name: string, count: number) => () => {
      order.push(name)
      return count
    }
    const { ask } = await start({
      datasets: { notes: { ...notes, erase: erase('notes', 2) }, mailings: { ...mailings, erase: erase('mailings', 0) } },
    })
    const { body } = await ask('erase', { scope: { datasets: ['mailings', 'notes'] } })
    expect(body.datasets).toEqual([
      { name: 'mailings', outcome: 'no_data', count: 0 },
      { name: 'notes', outcome: 'completed', count: 2 },
    ])
    expect(body.matched).toEqual([ANA])
    expect(order).toEqual(['notes', 'mailings'])
  })

  test('reaches no dataset out of scope, and says which cannot do it', async () => {
    const { ask } = await start({ datasets: { notes: { ...notes, erase: () => 2 }, mailings } })
    expect((await ask('erase', { scope: { datasets: ['notes'] } })).body.datasets).toHaveLength(1)
    expect((await ask('erase')).body.datasets).toEqual([
      { name: 'notes', outcome: 'completed', count: 2 },
      { name: 'mailings', outcome: 'not_supported' },
    ])
  })

  test('can keep, with how much, why and until when, and tell whom it told', async () => {
    const kept = { outcome: 'retained', count: 2, reason: '17_3_b', statute: 'A law', until: '2033-11-20' } as const
    const { ask } = await start({
      datasets: {
        notes: { ...notes, erase: () => ({ ...kept, recipients: [{ name: 'Stripe', outcome: 'acknowledged' }] }) },
        mailings: {
          ...mailings,
          erase: () => ({
            outcome: 'completed',
            recipients: [
              { name: 'Brevo', outcome: 'acknowledged' },
              { name: 'Stripe', outcome: 'failed' },
            ],
          }),
        },
      },
    })
    const { body } = await ask('erase')
    expect(body.datasets).toEqual([
      { name: 'notes', ...kept },
      { name: 'mailings', outcome: 'completed' },
    ])
    expect(body.recipients).toEqual([
      { name: 'Stripe', outcome: 'failed' },
      { name: 'Brevo', outcome: 'acknowledged' },
    ])
  })

  test('can be done to the person as a whole, and is told then of what it concerns only', async () => {
    const scopes: unknown[] = []
    const { ask } = await start({
      datasets: { notes: { ...notes, object: () => 9 }, mailings: { ...mailings, object: () => 9 } },
      perform: {
        object: (_person, { task }) => {
          scopes.push(task.scope)
          return { mailings: 3 }
        },
      },
    })
    expect((await ask('object', { parameters: { purposes: ['marketing'] } })).body.datasets).toEqual([
      { name: 'notes', outcome: 'no_data', count: 0 },
      { name: 'mailings', outcome: 'completed', count: 3 },
    ])
    expect(scopes).toEqual([{ datasets: ['mailings'] }])
  })

  test.each<[string, () => Record<string, number>]>([
    ['says nothing of a dataset', () => ({ notes: 1 })],
    ['speaks of one that it was not asked about', () => ({ notes: 1, mailings: 1, salaries: 1 })],
  ])('fails when its author %s', async (_, erase) => {
    const { ask } = await start({ datasets: { notes, mailings }, perform: { erase } })
    expect((await ask('erase')).status).toBe(500)
  })

  test('of a dataset that serves no such purpose, or needs no consent, is none', async () => {
    const { ask } = await start({ datasets: { notes, mailings: { ...mailings, object: () => 3, withdraw_consent: () => 1 } } })
    expect((await ask('object', { parameters: { purposes: ['marketing', 'analytics'] } })).body.datasets).toEqual([
      { name: 'notes', outcome: 'no_data', count: 0 },
      { name: 'mailings', outcome: 'completed', count: 3 },
    ])
    expect((await ask('object', { parameters: { purposes: ['provide_service'] } })).body.datasets).toEqual([
      { name: 'notes', outcome: 'not_supported' },
      { name: 'mailings', outcome: 'no_data', count: 0 },
    ])
    expect((await ask('withdraw_consent', { parameters: { cookies: ['analytics'] } })).body.datasets).toEqual([
      { name: 'notes', outcome: 'no_data', count: 0 },
      { name: 'mailings', outcome: 'completed', count: 1 },
    ])
  })

  test('by correction gives each dataset its own, and no other dataset anything', async () => {
    const given: unknown[] = []
    const rectify: DatasetDefinition<Found>['rectify'] = (_person, { task }) => {
      given.push(task.parameters.corrections)
      return task.parameters.corrections.length
    }
    const { ask } = await start({
      datasets: { notes: { ...notes, rectify }, mailings: { ...mailings, rectify }, others: { ...notes, rectify } },
    })
    const other = { dataset: 'mailings', field: 'any', from: null, to: true }
    const { body } = await ask('rectify', { parameters: { corrections: [correction, other] } })
    expect(body.datasets.map(({ count }) => count)).toEqual([1, 1, 0])
    expect(given).toEqual([[correction], [other]])
  })
})

describe('a dry run', () => {
  test('calls nothing that changes, and says what would come of it', async () => {
    let changed = 0
    const change = () => {
      changed += 1
      return 2
    }
    const whole = () => {
      changed += 1
      return { notes: 2, mailings: 3 }
    }
    const kept = { outcome: 'retained', count: 2, reason: '17_3_b', statute: 'A law', until: '2033-11-20' } as const
    const { ask } = await start({
      datasets: { notes: { ...notes, erase: change, foresee: { erase: () => kept } }, mailings },
      perform: { restrict: whole },
    })
    const dry = { dryRun: true }
    expect((await ask('erase', dry)).body.datasets).toEqual([
      { name: 'notes', ...kept },
      { name: 'mailings', outcome: 'not_supported' },
    ])
    expect((await ask('restrict', dry)).body.datasets).toEqual([
      { name: 'notes', outcome: 'completed', count: 2 },
      { name: 'mailings', outcome: 'completed', count: 3 },
    ])
    expect(changed).toBe(0)
    await ask('restrict')
    expect(changed).toBe(1)
  })
})

describe('the parameters of a change', () => {
  const all = { rectify: () => 1, erase: () => 1, restrict: () => 1, lift_restriction: () => 1, object: () => 1 }
  const datasets = { notes: { ...notes, ...all, withdraw_consent: () => 1 } }

  test.each<[Action, object]>([
    ['rectify', { corrections }],
    ['rectify', { corrections: [{ ...correction, from: null, to: 7 }] }],
    ['erase', {}],
    ['erase', { ground: '17_1_f' }],
    ['restrict', { ground: '18_1_d' }],
    ['lift_restriction', {}],
    ['object', { purposes: ['provide_service'], ground: '21_1' }],
    ['withdraw_consent', { purposes: ['marketing'] }],
    ['withdraw_consent', { cookies: ['analytics'] }],
  ])('of %s may be %j', async (action, parameters) => {
    expect((await (await start({ datasets })).ask(action, { parameters })).status).toBe(200)
  })

  test.each<[Action, object, number, string]>([
    ['rectify', {}, 400, 'invalid_request'],
    ['rectify', { corrections: [] }, 400, 'invalid_request'],
    ['rectify', { corrections: [{ ...correction, to: undefined }] }, 400, 'invalid_request'],
    ['rectify', { corrections: [{ ...correction, to: { a: 1 } }] }, 400, 'invalid_request'],
    ['rectify', { corrections: [{ ...correction, field: 'text = text; --' }] }, 422, 'unknown_field'],
    ['rectify', { corrections: [{ ...correction, dataset: 'salaries' }] }, 422, 'unknown_dataset'],
    ['erase', { ground: 'because' }, 400, 'invalid_request'],
    ['restrict', { ground: '17_1_a' }, 400, 'invalid_request'],
    ['object', {}, 400, 'invalid_request'],
    ['object', { purposes: ['marketing'], ground: 21 }, 400, 'invalid_request'],
    ['withdraw_consent', {}, 400, 'invalid_request'],
    ['withdraw_consent', { purposes: 'marketing' }, 400, 'invalid_request'],
  ])('of %s may not be %j', async (action, parameters, status, code) => {
    const { ask } = await start({ datasets })
    expect(await ask(action, { parameters })).toMatchObject({ status, body: { code } })
  })
})
