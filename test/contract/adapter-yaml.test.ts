import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from '@jest/globals'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parse } from 'yaml'
import type { Action } from '../../src/adapter-kit/adapter.ts'
import { problemBody, TaskProblem } from '../../src/adapter-kit/problem.ts'
import { EFFECT_ACTIONS, READ_ACTIONS } from '../../src/adapter-kit/protocol.ts'
import { judgeAnswer } from '../../src/adapters/judge-answer.ts'
import { validateManifest } from '../../src/adapters/manifest.ts'
import { OUTCOMES, type TaskCall } from '../../src/adapters/protocol.ts'
import { signCall, verifyCallback } from '../../src/adapters/signing.ts'
import { ANA, call, closeAdapters, DESCRIBED, linesOf, startAdapter, taskFor } from '../adapter-kit/caller.ts'
import { callOnce, SECRET } from '../support/adapter-calls.ts'
import { serveHttp } from '../support/loopback.ts'
import { sendJson } from '../support/raw-adapter.ts'

interface Document {
  paths: { '/tasks': { post: { callbacks: { finished: object } } } }
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

const asked: TaskCall = {
  ...taskFor('erase'),
  dryRun: false,
  dueAt: '2036-12-18T23:59:59Z',
  parameters: {},
  scope: { datasets: ['papers'] },
  action: 'erase',
  taskId: 't',
}

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

  test('the answers to several tasks', async () => {
    const { url } = await startAdapter({ limits: { batch: 5 }, resolve, perform: { erase: () => ({ notes: 1 }) } })
    const nobody = { identities: [{ type: 'user_id', value: 'u-nobody' }] }
    const tasks = [
      ...(['resolve', 'locate', 'erase', 'collect'] as const).map(action => ({ ...taskFor(action), taskId: action })),
      { ...taskFor('locate', { subject: nobody }), taskId: 'nobody' },
    ]
    expect(faults('Batch', { tasks })).toEqual([])
    const answer = await (await call('POST', `${url}/batches`, { taskId: '', tasks })).json()
    expect(faults('BatchAnswer', answer)).toEqual([])
    expect(answer).toMatchObject({ answers: [200, 200, 200, 422, 204].map(status => ({ status })) })
    expect(faults('BatchAnswer', { answers: [{ taskId: 't', status: 200 }] })).not.toEqual([])
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

describe('the document sets no wider limits than the service', () => {
  const many = (count: number) => Array.from({ length: count }, (_, i) => `n${i}`)
  const dataset = (more: object) => ({ datasets: [{ ...DESCRIBED, name: 'papers', ...more }] })
  const fields = (names: string[]) => dataset({ fields: names.map(name => ({ name, type: 'string' })) })
  const base = { ...(document.components.examples.ManifestBilling?.value as object) }

  test.each<[string, number, (size: number) => object]>([
    ['concurrency', 256, concurrency => ({ limits: { concurrency } })],
    ['calls a minute', 1_000_000, perMinute => ({ limits: { perMinute } })],
    ['tasks a call', 1000, batch => ({ limits: { batch } })],
    ['kinds of identity', 50, size => ({ identityTypes: many(size).map(type => ({ type })) })],
    ['adapters to wait for', 100, size => ({ eraseAfter: many(size) })],
    ['characters of a region', 64, size => ({ region: 'r'.repeat(size) })],
    ['datasets', 200, size => ({ datasets: many(size).map(name => ({ ...DESCRIBED, name })) })],
    ['characters of a title', 200, size => dataset({ title: 't'.repeat(size) })],
    ['purposes', 50, size => dataset({ purposes: many(size) })],
    ['legal bases', 10, size => dataset({ legalBases: many(size) })],
    ['fields', 500, size => fields(many(size))],
    ['characters of a field', 128, size => fields(['f'.repeat(size)])],
    ['recipients', 100, size => dataset({ recipients: many(size) })],
    ['characters of a name', 63, size => dataset({ name: 'n'.repeat(size) })],
    ['digits of days', 4, size => ({ expectedDuration: `P${'9'.repeat(size)}D` })],
    ['digits of seconds', 8, size => ({ expectedDuration: `PT${'9'.repeat(size)}S` })],
    ['ways to write an identity', 2, size => ({ identityTypes: [{ type: 'email', formats: Array(size).fill('raw') }] })],
  ])('%s: %i', (_what, most, of) => {
    const [largest, larger] = [most, most + 1].map(size => ({ ...base, ...of(size) }))
    expect(faults('Manifest', largest)).toEqual([])
    expect(() => validateManifest(largest)).not.toThrow()
    expect(faults('Manifest', larger)).not.toEqual([])
    expect(() => validateManifest(larger)).toThrow('manifest_refused')
  })

  test.each(['m'.repeat(128), 'm'.repeat(129), 'msg_1-A', 'msg 1', 'msg.1', 'ü', ''])('a call back with the id %j', id => {
    const { finished } = document.paths['/tasks'].post.callbacks
    const [{ post }] = Object.values(finished) as [{ post: { parameters: { name?: string; schema: { pattern: string } }[] } }]
    const pattern = post.parameters.find(({ name }) => name === 'webhook-id')?.schema.pattern ?? ''
    const at = new Date()
    const heard = () => verifyCallback([SECRET], signCall([SECRET], id, at, '{}'), Buffer.from('{}'), at)
    if (new RegExp(pattern).test(id)) expect(heard()).toBe(id)
    else expect(heard).toThrow('proof_refused')
  })

  test('what it calls a collect in one document is taken as one', async () => {
    const { value } = document.components.examples.CollectResult ?? {}
    const server = await serveHttp((_req, res) => sendJson(res, 200, value))
    const task = { ...asked, action: 'collect', scope: { datasets: ['invoices', 'attachments'] } } as const
    const { taskId } = value as { taskId: string }
    const { answer } = await callOnce(server.url, {
      task: { ...task, taskId, subject: { identities: [{ type: 'user_id', value: 'u-1029' }] } },
    })
    await server.close()
    expect(answer).toMatchObject({ kind: 'collected', files: 1, datasets: [{ count: 1 }, { count: 1 }] })
  })

  test('the kinds of outcome and of action are the same everywhere', () => {
    const { Outcome, Action } = document.components.schemas as Record<string, { enum: string[] }>
    expect(Outcome?.enum).toEqual(OUTCOMES)
    expect(new Set(Action?.enum)).toEqual(new Set([...READ_ACTIONS, ...EFFECT_ACTIONS]))
  })
})

const examples = Object.entries(document.components.examples)

test.each(examples)('the example %s fits its schema', (name, { value }) => {
  const schemas = ['Manifest', 'Task', 'Result', 'CollectResult', 'Resolve', 'Stream', 'BatchAnswer', 'Batch']
  const schema = schemas.find(each => name.startsWith(each))
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
