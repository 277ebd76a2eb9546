import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { Answer } from '../../src/adapters/answer.ts'
import type { TaskCall } from '../../src/adapters/protocol.ts'
import { ASKED, callOnce, taskFor } from '../support/adapter-calls.ts'
import { type Loopback, serveHttp } from '../support/loopback.ts'
import { KEPT, openKeepingAdapter, openLyingAdapter } from '../support/raw-adapter.ts'

const open: Loopback[] = []
afterEach(async () => {
  for (const server of open.splice(0)) await server.close()
})

const scope = { datasets: ['invoices', 'cards'] }
const erase: TaskCall = taskFor({ action: 'erase', scope, parameters: { ground: '17_1_b' }, legalGround: '17_1_b' })

/** Sends a task to an adapter that answers with this body, or with this status where there is none. */
async function answerOf(body: object | number, task = erase): Promise<{ answer: Answer; asked: TaskCall }> {
  let asked = ''
  const server = await serveHttp(async (req, res) => {
    asked = await text(req)
    if (typeof body === 'number') res.writeHead(body).end()
    else res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  open.push(server)
  const { answer } = await callOnce(server.url, { task })
  return { answer, asked: JSON.parse(asked) }
}

const kept = {
  name: 'invoices',
  outcome: 'retained',
  count: 12,
  reason: '17_3_b',
  statute: 'Commercial Code s. 257',
  until: '2033-11-20',
}
const erased = { taskId: erase.taskId, matched: [ASKED], datasets: [kept, { name: 'cards', outcome: 'completed', count: 1 }] }
const withKept = (change: object) => ({ ...erased, datasets: [{ ...kept, ...change }, erased.datasets[1]] })
const { taskId: _taskId, ...result } = erased

describe('a task that changes something', () => {
  test.each<[TaskCall['action'], TaskCall['parameters']]>([
    ['rectify', { corrections: [{ dataset: 'invoices', field: 'billed_to', from: 'Ana', to: 'Ann' }] }],
    ['erase', { ground: '17_1_b' }],
    ['restrict', { ground: '18_1_a' }],
    ['lift_restriction', {}],
    ['object', { purposes: ['marketing'], ground: '21_2' }],
    ['withdraw_consent', { purposes: ['marketing'], cookies: ['analytics'] }],
  ])('travels as it is: %s', async (action, parameters) => {
    const task = taskFor({ action, parameters, scope, legalGround: '17_1_b', dryRun: true })
    const { asked, answer } = await answerOf(erased, task)
    expect(asked).toEqual(task)
    expect(answer).toEqual({ kind: 'result', ...result })
  })

  test('is answered in full by 204: this person is not known there', async () => {
    expect((await answerOf(204)).answer).toEqual({ kind: 'unknown' })
  })

  test('may be answered with whom the adapter has told of it', async () => {
    const recipients = [
      { name: 'Stripe', outcome: 'acknowledged' },
      { name: 'Brevo', outcome: 'failed' },
      { name: 'A printed list', outcome: 'impossible' },
    ]
    expect((await answerOf({ ...erased, recipients })).answer).toEqual({ kind: 'result', ...result, recipients })
  })
})

describe('an answer about a change', () => {
  test.each<[string, object, string, string | RegExp]>([
    ['leaves a dataset out', { ...erased, datasets: [kept] }, 'dataset_missing', 'nothing is said of cards'],
    [
      'names another dataset',
      { ...erased, datasets: [...erased.datasets, { name: 'salaries', outcome: 'completed' }] },
      'dataset_unknown',
      /not asked for/,
    ],
    ['names a dataset twice', { ...erased, datasets: [...erased.datasets, kept] }, 'dataset_repeated', /twice/],
    ['has an outcome of its own', withKept({ outcome: 'archived' }), 'not_valid', /outcome/],
    ['has a negative count', withKept({ count: -1 }), 'not_valid', /count/],
    ['has half a count', withKept({ count: 1.5 }), 'not_valid', /count/],
    ['has no data, and some', withKept({ outcome: 'no_data' }), 'outcome_contradicted', 'invoices has no data, and yet a count'],
    [
      'keeps without a count',
      withKept({ count: undefined }),
      'retention_unexplained',
      'invoices is retained without a count above 0',
    ],
    ['keeps nothing', withKept({ count: 0 }), 'retention_unexplained', 'invoices is retained without a count above 0'],
    ['keeps without a reason', withKept({ reason: undefined }), 'retention_unexplained', 'invoices is retained without a reason'],
    [
      'keeps for a reason the law does not know',
      withKept({ reason: 'just_in_case' }),
      'retention_unexplained',
      'invoices is retained without an exception of Art. 17(3) as its reason',
    ],
    ['keeps by a law it does not name', withKept({ statute: undefined }), 'retention_unexplained', /without the statute$/],
    ...['ana@example.org', 'ask Ana, 0171 234 5678', 'see https://law.test', 'a law\nand a line', '94112601647', ''].map(
      (statute): [string, object, string, RegExp] => [
        `keeps by what is not the name of a law: ${JSON.stringify(statute)}`,
        withKept({ statute }),
        'not_valid',
        /statute/,
      ],
    ),
    ...[{ statute: 'the law on U-1029' }, { reason: 'u-1029' }].map((change): [string, object, string, string] => [
      `names the person where nothing is sealed: ${JSON.stringify(change)}`,
      withKept(change),
      'not_valid',
      'invoices is explained with an identity of the person',
    ]),
    ['keeps for ever', withKept({ until: undefined }), 'retention_unexplained', /without the day until which$/],
    ['keeps until an instant', withKept({ until: '2033-11-20T00:00:00Z' }), 'retention_unexplained', /the day until which$/],
    ['keeps until no day at all', withKept({ until: '2033-02-30' }), 'retention_unexplained', /the day until which$/],
    [
      'keeps and says nothing of it',
      withKept({ count: undefined, reason: undefined, until: undefined }),
      'retention_unexplained',
      'invoices is retained without a count above 0, a reason, the day until which',
    ],
    [
      'tells of a recipient twice',
      {
        ...erased,
        recipients: [
          { name: 'Stripe', outcome: 'acknowledged' },
          { name: 'Stripe', outcome: 'failed' },
        ],
      },
      'recipient_repeated',
      /twice/,
    ],
    [
      'tells of a recipient in words of its own',
      { ...erased, recipients: [{ name: 'X', outcome: 'maybe' }] },
      'not_valid',
      /recipients/,
    ],
    ['is to another task', { ...erased, taskId: 'another' }, 'task_mismatch', /another task/],
  ])('fails that %s', async (_, body, code, detail) => {
    const { answer } = await answerOf(body)
    expect(answer).toEqual({
      kind: 'failed',
      code,
      detail: typeof detail === 'string' ? detail : expect.stringMatching(detail),
    })
  })

  test.each([
    ['17_3_a', undefined],
    ['17_3_e', undefined],
    ['17_3_b', 'Commercial Code s. 257'],
  ])('may keep what falls under %s', async (reason, statute) => {
    expect((await answerOf(withKept({ reason, statute }))).answer.kind).toBe('result')
  })

  test('other than an erasure may keep for a reason of its own, yet with a count and a day', async () => {
    const rectify: TaskCall = { ...erase, action: 'rectify', parameters: { corrections: [] } }
    expect((await answerOf(withKept({ reason: 'as_issued' }), rectify)).answer.kind).toBe('result')
    expect((await answerOf(withKept({ reason: 'as_issued', until: undefined }), rectify)).answer.kind).toBe('failed')
  })

  test.each([
    ['somebody else', [{ type: 'user_id', value: 'u-1' }]],
    ['somebody else, too', [ASKED, { type: 'email', value: 'eve@example.org' }]],
    ['nobody', []],
  ])('is quarantined when it is about %s', async (_, matched) => {
    expect((await answerOf({ ...erased, matched })).answer.kind).toBe('quarantined')
  })
})

describe('the doubles that other tests stand on', () => {
  const things = taskFor({ scope: { datasets: ['things'] } })
  const ask = async (url: string, action: TaskCall['action']) => (await callOnce(url, { task: { ...things, action } })).answer

  test('one says that all is erased, and has it still', async () => {
    const lying = await openLyingAdapter('lying')
    open.push(lying)
    expect(await ask(lying.url, 'erase')).toMatchObject({ datasets: [{ outcome: 'completed', count: 2 }] })
    expect(await ask(lying.url, 'locate')).toMatchObject({ datasets: [{ outcome: 'completed', count: 2 }] })
    expect(await ask(lying.url, 'collect')).toMatchObject({ kind: 'collected', datasets: [{ count: 2 }] })
  })

  test('one keeps, and says why and until when', async () => {
    const keeping = await openKeepingAdapter('keeping')
    open.push(keeping)
    expect(await ask(keeping.url, 'erase')).toMatchObject({ kind: 'result', datasets: [{ name: 'things', ...KEPT }] })
    expect(await ask(keeping.url, 'locate')).toMatchObject({ datasets: [{ outcome: 'completed', count: 2 }] })
  })
})
