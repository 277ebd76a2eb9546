import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from '@jest/globals'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parse } from 'yaml'
import type { Action } from '../../src/adapter-kit/adapter.ts'
import { problemBody, TaskProblem } from '../../src/adapter-kit/problem.ts'
import { EFFECT_ACTIONS, READ_ACTIONS } from '../../src/adapter-kit/protocol.ts'
import { judgeAnswer } from '../../src/adapters/judge-answer.ts'
import type { TaskCall } from '../../src/adapters/protocol.ts'
import { ANA, call, closeAdapters, DESCRIBED, linesOf, startAdapter, taskFor } from '../adapter-kit/caller.ts'

interface Document {
  components: {
    schemas: Record<string, object>
    examples: Record<string, { value: unknown }>
  }
}

const document: Document = parse(readFileSync('openapi/adapter.yaml', 'utf8'))
const ajv = new Ajv2020({ strict: false, validateFormats: false })
ajv.addSchema({ $id: 'adapter.yaml', components: document.components })

/** What of the value does not fit the schema of that name. */
function faults(schema: string, value: unknown): unknown {
  const validate = ajv.getSchema(`adapter.yaml#/components/schemas/${schema}`)
  if (!validate) throw new Error(`The document has no schema ${schema}.`)
  return validate(value) ? [] : validate.errors
}

afterEach(closeAdapters)

const resolve = () =>
  ({
    matched: [ANA],
    identities: [ANA],
    contactPoints: [{ type: 'email', value: 'ana@example.org', since: '2024-03-01T00:00:00Z', verified: true }],
    name: 'Ana Perera',
    locale: 'en',
    country: 'LK',
    status: 'match',
  }) as const

const KEPT = { outcome: 'retained', count: 2, reason: '17_3_b', statute: 'A law', until: '2033-11-20' } as const

const start = () =>
  startAdapter({
    resolve,
    datasets: {
      notes: {
        ...DESCRIBED,
        legalBases: ['consent'],
        fields: [{ name: 'text', type: 'string' }],
        count: () => 1,
        records: () => [{ text: 'one' }],
      },
      papers: {
        ...DESCRIBED,
        count: () => 2,
        files: () => [
          { name: 'a.txt', mediaType: 'text/plain', content: Buffer.from('a') },
          { name: 'b.txt', mediaType: 'text/plain', size: 9, key: 'b' },
        ],
      },
    },
    perform: {
      erase: () => ({ notes: 1, papers: KEPT }),
      rectify: () => ({ notes: { outcome: 'refused', reason: 'not_as_stated' } }),
      restrict: () => ({ notes: 1, papers: 0 }),
      lift_restriction: () => ({ notes: 1, papers: 0 }),
      object: () => ({ notes: 1, papers: 2 }),
      withdraw_consent: () => ({ notes: { outcome: 'completed', recipients: [{ name: 'Brevo', outcome: 'acknowledged' }] } }),
    },
    openFile: async () => undefined,
  })

describe('what the kit sends fits openapi/adapter.yaml', () => {
  test('the manifest', async () => {
    const { url } = await start()
    expect(faults('Manifest', await (await call('GET', `${url}/manifest`)).json())).toEqual([])
  })

  test.each<[Action, string, object]>([
    ['resolve', 'ResolveResult', {}],
    ['locate', 'Result', {}],
    ['rectify', 'Result', { corrections: [{ dataset: 'notes', field: 'text', from: 'one', to: null }] }],
    ['erase', 'Result', { ground: '17_1_b' }],
    ['restrict', 'Result', { ground: '18_1_a' }],
    ['lift_restriction', 'Result', {}],
    ['object', 'Result', { purposes: ['provide_service'], ground: '21_1' }],
    ['withdraw_consent', 'Result', { purposes: ['provide_service'], cookies: ['analytics'] }],
  ])('the answer to %s', async (action, schema, parameters) => {
    const { url } = await start()
    for (const dryRun of [false, true]) {
      const task = taskFor(action, { parameters, dryRun })
      expect(faults('Task', task)).toEqual([])
      expect(faults(schema, await (await call('POST', `${url}/tasks`, task)).json())).toEqual([])
    }
  })

  test('each line of a stream', async () => {
    const { url } = await start()
    const lines = await linesOf(await call('POST', `${url}/tasks`, taskFor('collect')))
    expect(lines).toHaveLength(4)
    for (const line of lines) expect(faults('StreamLine', line)).toEqual([])
  })

  test('a promise', async () => {
    const { url } = await startAdapter({ answerWithin: 0 })
    const promised = await call('POST', `${url}/tasks`, taskFor('locate'))
    expect(faults('Working', await promised.json())).toEqual([])
    expect(promised.headers.get('location')).toMatch(/^http:/)
    expect(promised.headers.get('retry-after')).toBe('5')
  })

  test('a problem', async () => {
    const { url } = await start()
    expect(faults('Problem', await (await fetch(`${url}/manifest`)).json())).toEqual([])
    expect(faults('Problem', problemBody(new TaskProblem(503, 'unavailable', 'Later.')))).toEqual([])
  })
})

test('the schemas refuse what must not be', () => {
  const held = { taskId: 't', matched: [ANA], identities: [], contactPoints: resolve().contactPoints, status: 'hold' }
  expect(faults('ResolveResult', held)).not.toEqual([])
  expect(faults('ResolveResult', { ...held, contactPoints: [] })).toEqual([])
  const nothing = document.components.examples.ManifestNothing?.value as object
  expect(faults('Manifest', nothing)).toEqual([])
  const { holdsNothingBecause: _reason, ...silent } = nothing as { holdsNothingBecause: string }
  expect(faults('Manifest', silent)).not.toEqual([])
  expect(faults('StreamLine', { dataset: 'notes', file: { name: 'a', mediaType: 'text/plain', size: 1 } })).not.toEqual([])
})

describe('of what is wrong', () => {
  const task = (action: Action, parameters?: object) => ({ ...taskFor(action), ...(parameters && { parameters }) })
  const correction = { dataset: 'notes', field: 'text', from: 'one', to: 'two' }

  test.each<[Action, object | undefined]>([
    ['rectify', undefined],
    ['rectify', { corrections: [] }],
    ['rectify', { corrections: [{ ...correction, to: { a: 1 } }] }],
    ['erase', { ground: '18_1_a' }],
    ['restrict', { ground: '17_1_a' }],
    ['object', undefined],
    ['object', { purposes: [] }],
    ['withdraw_consent', {}],
    ['withdraw_consent', { purposes: [], cookies: [] }],
  ])('a task to %s with %j fits neither the document nor the kit', async (action, parameters) => {
    const { url } = await start()
    const wrong = task(action, parameters)
    expect(faults('Task', wrong)).not.toEqual([])
    expect((await call('POST', `${url}/tasks`, wrong)).status).toBe(400)
  })

  const answered = (change: object) => ({
    taskId: 't',
    matched: [ANA],
    datasets: [{ name: 'papers', ...KEPT, ...change }],
  })
  const asked: TaskCall = {
    ...taskFor('erase'),
    dryRun: false,
    dueAt: '2036-12-18T23:59:59Z',
    parameters: {},
    scope: { datasets: ['papers'] },
    action: 'erase',
    taskId: 't',
  }

  test.each([
    { count: 0 },
    { count: undefined },
    { reason: undefined },
    { statute: undefined },
    { until: undefined },
    { outcome: 'no_data' },
  ])('an answer with %j fits neither the document nor the one who asked', change => {
    const wrong: unknown = JSON.parse(JSON.stringify(answered(change)))
    expect(faults('Result', wrong)).not.toEqual([])
    expect(() => judgeAnswer(asked, wrong)).toThrow()
    expect(judgeAnswer(asked, answered({})).kind).toBe('result')
  })
})

const examples = Object.entries(document.components.examples)

test.each(examples)('the example %s fits its schema', (name, { value }) => {
  const [schema] = ['Manifest', 'Task', 'Result', 'Resolve', 'Stream'].filter(each => name.startsWith(each))
  if (schema === 'Stream') return expect(value).toEqual(expect.any(String))
  expect(faults(schema === 'Resolve' ? 'ResolveResult' : (schema ?? ''), value)).toEqual([])
})

test('every action is shown as a task', () => {
  const shown = examples.flatMap(([, { value }]) =>
    typeof value === 'object' && value && 'action' in value ? [value.action] : [],
  )
  expect(new Set(shown)).toEqual(new Set([...READ_ACTIONS, ...EFFECT_ACTIONS]))
})

test('the stream given as an example is made of lines that fit', () => {
  const text = document.components.examples.Stream?.value as string
  for (const line of text.trimEnd().split('\n')) expect(faults('StreamLine', JSON.parse(line))).toEqual([])
})
