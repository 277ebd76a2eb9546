import { Readable } from 'node:stream'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Answer } from '../../src/adapters/answer.ts'
import { readCollectDocument } from '../../src/adapters/collect-document.ts'
import { type CollectSink, readCollectStream } from '../../src/adapters/collect-stream.ts'
import { startCollection } from '../../src/adapters/collection.ts'
import { AdapterFault } from '../../src/adapters/fault.ts'
import type { TaskCall } from '../../src/adapters/protocol.ts'
import { ASKED, LIMITS, takingSink, taskFor } from '../support/adapter-calls.ts'

const record = (json: string, dataset = 'invoices') => `{"dataset":"${dataset}","record":${json}}`
const endLine = (counts: Record<string, number>, more: object = {}) =>
  JSON.stringify({ end: { matched: [ASKED], counts, ...more } })
const noFiles = async () => Readable.from([])

async function collect(
  body: string | Buffer,
  {
    limits = {},
    task = {},
    cuts = [] as number[],
  }: { limits?: Partial<typeof LIMITS>; task?: Partial<TaskCall>; cuts?: number[] } = {},
) {
  const { taken, sink } = takingSink()
  const bytes = Buffer.from(body)
  const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
  const chunks = edges.slice(1).map((edge, i) => bytes.subarray(edges[i], edge))
  const collection = startCollection(taskFor(task), { ...LIMITS, ...limits }, sink, noFiles)
  const answer = await readCollectStream(Readable.from(chunks), collection)
  return { answer, taken }
}

const faultOf = async (lines: string[], options?: Parameters<typeof collect>[1]): Promise<string> =>
  collect(lines.join('\n'), options).then(
    ({ answer }) => answer.kind,
    error => (error instanceof AdapterFault ? error.code : Promise.reject(error)),
  )

const complete = [
  record('{"id":1}'),
  record('{"id":2}'),
  record('{"a":"b"}', 'attachments'),
  endLine({ invoices: 2, attachments: 1 }),
]

describe('a stream', () => {
  test('brings the records and says what arrived of each dataset', async () => {
    const { answer, taken } = await collect(complete.join('\n'))
    expect(taken.records).toEqual([
      ['invoices', '{"id":1}'],
      ['invoices', '{"id":2}'],
      ['attachments', '{"a":"b"}'],
    ])
    expect(answer).toEqual({
      kind: 'collected',
      matched: [ASKED],
      datasets: [
        { name: 'invoices', outcome: 'completed', count: 2 },
        { name: 'attachments', outcome: 'completed', count: 1 },
      ],
      files: 0,
    } satisfies Answer)
  })

  test('is the same however the network cuts it', async () => {
    const body = `${complete.join('\r\n')}\n\n`
    const whole = await collect(body)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(body.length)), async cuts => {
        expect(await collect(body, { cuts })).toEqual(whole)
      }),
    )
  })

  test('keeps the spelling of numbers that JavaScript would round, however the line is written', async () => {
    const body = [
      record('{"id":9007199254740993,"amount":1.10}'),
      ' { "record" : {"id":9007199254740995} , "dataset":"invoices", "note":1 } ',
      '{"dataset":"in\\u0076oices","rec\\u006frd":{"id":1e400}}',
      endLine({ invoices: 3, attachments: 0 }),
    ]
    const { taken } = await collect(body.join('\n'))
    expect(taken.records.map(([, json]) => json)).toEqual([
      '{"id":9007199254740993,"amount":1.10}',
      '{"id":9007199254740995}',
      '{"id":1e400}',
    ])
  })

  test('hands on what JSON.parse sees, byte for byte as it was sent', async () => {
    const json = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 })
    await fc.assert(
      fc.asyncProperty(fc.array(json), async records => {
        const { taken } = await collect(
          [...records.map(r => record(JSON.stringify(r))), endLine({ invoices: records.length, attachments: 0 })].join('\n'),
        )
        expect(taken.records.map(([, text]) => text)).toEqual(records.map(r => JSON.stringify(r)))
        expect(JSON.stringify(taken.values)).toBe(JSON.stringify(records))
      }),
    )
  })

  test('may say of a dataset why there is nothing, or not everything', async () => {
    const datasets = [{ name: 'attachments', outcome: 'refused', reason: '15_4', count: 7 }]
    const { answer } = await collect([record('{}'), endLine({ invoices: 1 }, { datasets })].join('\n'))
    expect(answer).toMatchObject({
      datasets: [
        { name: 'invoices', outcome: 'completed', count: 1 },
        { name: 'attachments', outcome: 'refused', reason: '15_4', count: 0 },
      ],
    })
  })

  test.each(['refused', 'retained', 'no_data', 'failed'])('is refused when a dataset that is %s had records', async outcome => {
    const datasets = [{ name: 'invoices', outcome }]
    const stream = [record('{}'), endLine({ invoices: 1, attachments: 0 }, { datasets })].join('\n')
    await expect(collect(stream)).rejects.toMatchObject({ code: 'not_valid' })
  })

  test('treats members named like the prototype as data', async () => {
    const { taken } = await collect(
      [record('{"__proto__":{"isAdmin":true}}'), endLine({ invoices: 1, attachments: 0 })].join('\n'),
    )
    expect(taken.records[0]?.[1]).toBe('{"__proto__":{"isAdmin":true}}')
    expect(({} as Record<string, unknown>).isAdmin).toBeUndefined()
  })

  test('waits for a sink that asks for it', async () => {
    const order: string[] = []
    const sink: CollectSink = {
      async record(_, json) {
        order.push(`begin ${json}`)
        await new Promise(resolve => setImmediate(resolve))
        order.push(`end ${json}`)
      },
      async file() {},
    }
    const collection = startCollection(taskFor(), LIMITS, sink, noFiles)
    await readCollectStream(
      Readable.from([Buffer.from(complete.slice(0, 2).join('\n')), Buffer.from(`\n${complete.slice(2).join('\n')}`)]),
      collection,
    )
    expect(order.slice(0, 4)).toEqual(['begin {"id":1}', 'end {"id":1}', 'begin {"id":2}', 'end {"id":2}'])
  })
})

describe('a stream is asked for again', () => {
  test.each([
    ['without its end', complete.slice(0, -1)],
    ['that is empty', []],
    ['whose last line is cut off', [...complete.slice(0, -1), '{"end":{"matched":[{"ty']],
    ['whose last record is cut off', [record('{"id":1}'), '{"dataset":"invoices","record":{"id":']],
  ])('%s: cut', async (_, lines) => {
    expect(await faultOf(lines)).toBe('cut')
  })

  test.each([
    ['that sent less than it says', { invoices: 3, attachments: 1 }],
    ['that sent more than it says', { invoices: 1, attachments: 1 }],
  ])('%s: other counts', async (_, counts) => {
    expect(await faultOf([...complete.slice(0, -1), endLine(counts)])).toBe('count_mismatch')
  })
})

describe('a stream is refused', () => {
  test.each<[string, string[], string]>([
    ['that says nothing of a dataset', [endLine({ invoices: 0 })], 'dataset_missing'],
    ['that brings a dataset nobody asked for', [record('{}', 'salaries')], 'dataset_unknown'],
    ['that counts a dataset nobody asked for', [endLine({ invoices: 0, attachments: 0, salaries: 0 })], 'dataset_unknown'],
    ['that goes on after its end', [...complete, record('{}')], 'not_valid'],
    [
      'whose end names whom it is about twice',
      [...complete.slice(0, -1), complete.at(-1)?.replace('"matched"', '"matched":[],"matched"') ?? ''],
      'not_valid',
    ],
    ['with two ends', [...complete, endLine({ invoices: 2, attachments: 1 })], 'not_valid'],
    ['that counts in fractions', [endLine({ invoices: 0.5, attachments: 0 })], 'not_valid'],
    ['with a line that is not JSON', ['<html>', ...complete], 'not_json'],
    ['with a NaN in it', [record('{"a":NaN}'), ...complete], 'not_json'],
    ['with a byte order mark', [`\ufeff${complete[0]}`, ...complete.slice(1)], 'not_json'],
    ['with half a character', [record('{"a":"\\ud800"}'), ...complete], 'not_json'],
    ['whose record is a list', [record('[]'), ...complete], 'not_valid'],
    ['whose record is null', [record('null'), ...complete], 'not_valid'],
    ['with a line that says nothing', ['{}', ...complete], 'not_valid'],
    ['with a line that is a list', ['[]', ...complete], 'not_valid'],
    ['with a line that is record and file at once', ['{"dataset":"invoices","record":{},"file":{}}', ...complete], 'not_valid'],
    [
      'with a file of no name',
      ['{"dataset":"attachments","file":{"mediaType":"text/plain","base64":""}}', ...complete],
      'not_valid',
    ],
    [
      'with a media type that breaks a header',
      ['{"dataset":"attachments","file":{"name":"a","mediaType":"a/b\\r\\nx: y","base64":""}}', ...complete],
      'not_valid',
    ],
    ['nested too deep', [record(`{"a":${'['.repeat(300_000)}`), ...complete], 'too_deep'],
    [
      'that answers another task',
      [...complete.slice(0, -1), endLine({ invoices: 2, attachments: 1 }, { taskId: 'another' })],
      'task_mismatch',
    ],
  ])('%s', async (_, lines, code) => {
    expect(await faultOf(lines)).toBe(code)
  })

  test.each([
    ['one line too long', { lineBytes: 40 }, 'too_large'],
    ['too many records', { records: 2 }, 'too_large'],
    ['deeper records than allowed', { depth: 0 }, 'too_deep'],
  ])('with %s', async (_, limits, code) => {
    expect(await faultOf(complete, { limits })).toBe(code)
  })

  test('with a line that never ends, before it has used more memory than a line may', async () => {
    async function* endless() {
      const spaces = Buffer.alloc(1024, 0x20)
      for (;;) yield spaces
    }
    const collection = startCollection(taskFor(), { ...LIMITS, lineBytes: 100_000 }, takingSink().sink, noFiles)
    await expect(readCollectStream(endless(), collection)).rejects.toMatchObject({ code: 'too_large' })
  })

  test('without a word of what it held', async () => {
    const faults = await Promise.all(
      [
        'Ada Lovelace',
        '{"dataset":"Ada Lovelace","record":{}}',
        '{"Ada Lovelace":1}',
        record('{"name":"Ada Lovelace",}'),
        endLine({ 'Ada Lovelace': 1 }),
      ].map(line => collect(`${line}\n`).catch((error: Error) => error.message)),
    )
    for (const message of faults) expect(message).not.toContain('Ada')
  })
})

describe('a stream goes into quarantine', () => {
  test.each([
    ['when it speaks of somebody else', [{ type: 'user_id', value: 'u-1' }]],
    ['when it speaks of somebody else, too', [ASKED, { type: 'user_id', value: 'u-1' }]],
    ['when the same value is of another type', [{ type: 'email', value: ASKED.value }]],
    ['when it does not say whom it speaks of', []],
  ])('%s, whatever else is wrong with it', async (_, matched) => {
    expect((await collect(JSON.stringify({ end: { matched, counts: {} } }))).answer.kind).toBe('quarantined')
  })
})

describe('a collect answered in one document', () => {
  const read = async (json: unknown, text = JSON.stringify(json)) => {
    const { taken, sink } = takingSink()
    const answer = await readCollectDocument(Buffer.from(text), startCollection(taskFor(), LIMITS, sink, noFiles))
    return { answer, taken }
  }
  const { taskId } = taskFor()

  test('is taken like a stream, with the spelling of its numbers', async () => {
    const text = `{"taskId":"${taskId}","matched":[${JSON.stringify(ASKED)}],"datasets":[
      {"name":"invoices","outcome":"completed","records":[{"id":9007199254740993}, {"id":2}]},
      {"outcome":"no_data","name":"attachments"}]}`
    const { answer, taken } = await read(undefined, text)
    expect(taken.records).toEqual([
      ['invoices', '{"id":9007199254740993}'],
      ['invoices', '{"id":2}'],
    ])
    expect(answer).toMatchObject({
      kind: 'collected',
      datasets: [{ count: 2 }, { name: 'attachments', outcome: 'no_data', count: 0 }],
    })
  })

  test.each<[string, object, string]>([
    [
      'says how much there is but does not hand it over',
      {
        datasets: [
          { name: 'invoices', outcome: 'completed', count: 2 },
          { name: 'attachments', outcome: 'no_data' },
        ],
      },
      'count_mismatch',
    ],
    ['leaves a dataset out', { datasets: [{ name: 'invoices', outcome: 'no_data' }] }, 'dataset_missing'],
    [
      'brings a dataset twice',
      { datasets: ['invoices', 'invoices', 'attachments'].map(name => ({ name, outcome: 'no_data' })) },
      'dataset_repeated',
    ],
    [
      'answers another task',
      { taskId: 'another', datasets: ['invoices', 'attachments'].map(name => ({ name, outcome: 'no_data' })) },
      'task_mismatch',
    ],
    ['has records that are no list', { datasets: [{ name: 'invoices', outcome: 'completed', records: {} }] }, 'not_valid'],
    ['has no datasets', {}, 'not_valid'],
  ])('that %s is a fault', async (_, more, code) => {
    await expect(read({ taskId, matched: [ASKED], ...more })).rejects.toMatchObject({ code })
  })
})
