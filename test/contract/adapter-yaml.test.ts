import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from '@jest/globals'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parse } from 'yaml'
import { problemBody, TaskProblem } from '../../src/adapter-kit/problem.ts'
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

const start = () =>
  startAdapter({
    resolve,
    datasets: {
      notes: { ...DESCRIBED, fields: [{ name: 'text', type: 'string' }], count: () => 1, records: () => [{ text: 'one' }] },
      papers: {
        ...DESCRIBED,
        count: () => 2,
        files: () => [
          { name: 'a.txt', mediaType: 'text/plain', content: Buffer.from('a') },
          { name: 'b.txt', mediaType: 'text/plain', size: 9, key: 'b' },
        ],
      },
    },
    perform: { erase: async () => ({ notes: 1, papers: 1 }) },
    openFile: async () => undefined,
  })

describe('what the kit sends fits openapi/adapter.yaml', () => {
  test('the manifest', async () => {
    const { url } = await start()
    expect(faults('Manifest', await (await call('GET', `${url}/manifest`)).json())).toEqual([])
  })

  test.each([['resolve', 'ResolveResult'] as const, ['locate', 'Result'] as const, ['erase', 'Result'] as const])(
    'the answer to %s',
    async (action, schema) => {
      const { url } = await start()
      const task = taskFor(action)
      expect(faults('Task', task)).toEqual([])
      expect(faults(schema, await (await call('POST', `${url}/tasks`, task)).json())).toEqual([])
    },
  )

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

test('the stream given as an example is made of lines that fit', () => {
  const text = document.components.examples.Stream?.value as string
  for (const line of text.trimEnd().split('\n')) expect(faults('StreamLine', JSON.parse(line))).toEqual([])
})
