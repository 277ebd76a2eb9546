import { afterEach, describe, expect, test } from '@jest/globals'
import { type AdapterDefinition, createAdapter, type Found } from '../../src/adapter-kit/adapter.ts'
import { fetchManifest } from '../../src/adapters/fetch-manifest.ts'
import type { TaskCall } from '../../src/adapters/protocol.ts'
import { createOutbound } from '../../src/platform/outbound.ts'
import { ASKED, callOnce, SECRET, taskFor } from '../support/adapter-calls.ts'

const described = {
  category: 'billing',
  origin: 'provided',
  purposes: ['billing'],
  legalBases: ['contract'],
  retention: 'financial_records',
} as const
const definition: AdapterDefinition<Found> = {
  name: 'billing',
  secrets: SECRET,
  identityTypes: [{ type: 'user_id' }],
  find: identities => {
    const matched = identities.filter(({ value }) => value === ASKED.value)
    return matched.length > 0 ? { matched } : undefined
  },
  resolve: matched => ({ matched, identities: matched, contactPoints: [], status: 'match' }),
  datasets: {
    invoices: { ...described, title: 'Invoices', count: () => 2, records: () => ['{"id":9007199254740993}', { id: 2 }] },
    attachments: {
      ...described,
      title: 'Attachments',
      count: () => 2,
      files: () => [
        { name: 'note.txt', mediaType: 'text/plain', content: Buffer.from('hello') },
        { name: 'contract.pdf', mediaType: 'application/pdf', size: 100_000, key: 'contract' },
      ],
    },
  },
  perform: { erase: async () => ({ invoices: 2, attachments: 2 }) },
  openFile: async () => Buffer.alloc(100_000, 'x'),
}

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const it of open.splice(0)) await it.close()
})
async function start(more: Partial<AdapterDefinition<Found>> = {}): Promise<string> {
  const adapter = createAdapter({ ...definition, ...more })
  open.push(adapter)
  return (await adapter.listen()).url
}

describe('an adapter written with the kit', () => {
  test('gives a manifest that is accepted', async () => {
    const baseUrl = await start()
    const outbound = createOutbound({ allowedHosts: [new URL(baseUrl).host] })
    open.unshift(outbound)
    const manifest = await fetchManifest({ outbound, clock: { now: () => new Date() } }, { baseUrl, secrets: [SECRET] })
    expect(manifest.datasets.map(({ name }) => name)).toEqual(['invoices', 'attachments'])
  })

  test.each<[TaskCall['action'], object]>([
    ['resolve', { kind: 'resolved', status: 'match', identities: [ASKED] }],
    [
      'locate',
      {
        kind: 'result',
        datasets: [
          { name: 'invoices', outcome: 'completed', count: 2 },
          { name: 'attachments', outcome: 'completed', count: 2 },
        ],
      },
    ],
    ['erase', { kind: 'result', matched: [ASKED] }],
  ])('is understood when it is asked to %s', async (action, expected) => {
    expect((await callOnce(await start(), { task: taskFor({ action }) })).answer).toMatchObject(expected)
  })

  test('hands over records and files, as they are', async () => {
    const { answer, taken } = await callOnce(await start())
    expect(answer).toMatchObject({ kind: 'collected', files: 2, datasets: [{ count: 2 }, { count: 2 }] })
    expect(taken.records.map(([, json]) => json)).toEqual(['{"id":9007199254740993}', '{"id":2}'])
    expect(taken.files.map(({ name, content }) => [name, content.length])).toEqual([
      ['note.txt', 5],
      ['contract.pdf', 100_000],
    ])
  })

  test('says that it does not know a person', async () => {
    const task = taskFor({ subject: { identities: [{ type: 'user_id', value: 'nobody' }] } })
    expect((await callOnce(await start(), { task })).answer).toEqual({ kind: 'unknown' })
  })

  test('may answer later, at a location', async () => {
    const url = await start({ answerWithin: 0, pollEvery: 1 })
    const { answer: promised } = await callOnce(url)
    if (promised.kind !== 'accepted') throw new Error(promised.kind)
    expect(promised.retryAfterSeconds).toBe(1)
    expect((await callOnce(url, { location: promised.location })).answer).toMatchObject({ kind: 'collected', files: 2 })
  })

  test('does not answer to another secret', async () => {
    const other = `whsec_${Buffer.alloc(32, 'o').toString('base64')}`
    expect((await callOnce(await start(), { secrets: [other] })).answer).toMatchObject({ kind: 'failed', code: 'refused' })
    expect((await callOnce(await start(), { secrets: [other, SECRET] })).answer.kind).toBe('collected')
  })
})
