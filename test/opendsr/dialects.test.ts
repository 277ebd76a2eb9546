import { afterEach, describe, expect, test } from '@jest/globals'
import type { Answer } from '../../src/adapters/answer.ts'
import {
  LIKE_APPSFLYER,
  LIKE_GO,
  LIKE_MPARTICLE,
  LIKE_SINGULAR,
  type Manners,
  openProcessor,
  type Processor,
  SPECIFIED,
} from '../support/processor.ts'
import { ANA, type Asking, asking, CALLBACK_URL, taskFor } from '../support/processor-calls.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const it of open.splice(0)) await it.close()
})

type How = Parameters<typeof asking>[2]

async function meet(manners: Manners, dialect: string, how: How = {}): Promise<{ processor: Processor; by: Asking }> {
  const processor = await openProcessor(manners)
  const by = asking(processor, dialect, how)
  open.push(by, processor)
  return { processor, by }
}

const KEY = { credentials: { username: 'key', password: 'secret' } }
const location = (answer: Answer) => (answer.kind === 'accepted' ? answer.location : '')
const idOf = ({ latest }: Processor) => latest().sent.subject_request_id

const DIALECTS: [string, string, Manners, How][] = [
  ['OpenDSR 2.0', '2.0', SPECIFIED, {}],
  ['OpenGDPR 1.0 with the other padding', '1.0', LIKE_GO, { overrides: { signature: 'rsa-pss-sha256' } }],
  ['mParticle', 'mparticle-v3', LIKE_MPARTICLE, KEY],
  ['AppsFlyer', 'appsflyer', LIKE_APPSFLYER, { overrides: { extraBody: { property_id: 'id123' } } }],
  ['Singular', 'singular', LIKE_SINGULAR, { credentials: { value: 'api-key-1' } }],
]

describe.each(DIALECTS)('a processor that speaks as %s', (_, dialect, manners, how) => {
  test('tells what it can do, is asked to erase, is looked at, and confirms', async () => {
    const { processor, by } = await meet(manners, dialect, how)
    const manifest = await by.connector.manifest(by.contact)
    expect(manifest).toMatchObject({ name: 'vendor', datasets: [{ name: 'profile' }] })
    expect(manifest.actions).toContain('erase')
    expect(manifest.actions).not.toContain('locate') // nobody can count there, so nothing is ever said to be verified

    const task = taskFor('erase')
    const accepted = await by.ask(task)
    expect(accepted.kind).toBe('accepted')
    processor.set(idOf(processor), 'in_progress')
    expect((await by.ask(task, location(accepted))).kind).toBe('accepted')
    processor.set(idOf(processor), 'completed')
    expect(await by.ask(task, location(accepted))).toMatchObject({
      kind: 'result',
      datasets: [{ name: 'profile', outcome: 'completed' }],
    })
    expect(processor.requests.size).toBe(1)
  })

  test('has one request of a task, however often it is sent', async () => {
    const { processor, by } = await meet(manners, dialect, how)
    const task = taskFor('erase')
    await by.ask(task)
    processor.set(idOf(processor), 'completed')
    expect((await by.ask({ ...task, attempt: 2 })).kind).toBe('result')
    expect(processor.requests.size).toBe(1)
  })

  test('cancels, and that is a task for a person and no erasure', async () => {
    const { processor, by } = await meet(manners, dialect, how)
    const task = taskFor('erase')
    const accepted = await by.ask(task)
    processor.set(idOf(processor), 'cancelled')
    expect(await by.ask(task, location(accepted))).toMatchObject({ kind: 'failed', code: 'refused' })
  })
})

describe('a request', () => {
  test('is written as the specification has it', async () => {
    const { processor, by } = await meet(SPECIFIED, '2.0')
    await by.ask(taskFor('collect'))
    expect(processor.latest().sent).toEqual({
      regulation: 'gdpr',
      subject_request_id: idOf(processor),
      subject_request_type: 'access',
      submitted_time: '2026-11-20T12:00:00Z',
      subject_identities: [
        { identity_type: 'controller_customer_id', identity_value: 'u-ana', identity_format: 'raw' },
        { identity_type: 'email', identity_value: 'Ana@example.org', identity_format: 'raw' },
      ],
      api_version: '2.0',
      status_callback_urls: [CALLBACK_URL],
    })
  })

  test('carries what a processor wants beyond that, and no regulation where it has no place', async () => {
    const { processor, by } = await meet(LIKE_APPSFLYER, 'appsflyer', { overrides: { extraBody: { property_id: 'id123' } } })
    await by.ask(taskFor('erase'))
    expect(processor.latest().sent).toMatchObject({ property_id: 'id123', subject_request_type: 'erasure' })
    expect(processor.latest().sent).not.toHaveProperty('regulation')
  })

  test('tells an address as its hash where the processor takes nothing else, over its lower-case spelling', async () => {
    const overrides = { identityTypes: { email: { type: 'email', format: 'sha256' } } }
    const { processor, by } = await meet(SPECIFIED, '2.0', { overrides })
    await by.ask(taskFor('erase'))
    expect(processor.latest().sent.subject_identities).toEqual([
      {
        identity_type: 'email',
        identity_value: '86b9260a115ceac89a9738af23696ce3a5d70449de8d95ef28bd754bb80196b9',
        identity_format: 'sha256',
      },
    ])
  })

  test('goes to a processor that is told nothing of a call back', async () => {
    const { processor, by } = await meet(LIKE_SINGULAR, 'singular', { credentials: { value: 'api-key-1' } })
    await by.ask(taskFor('erase'))
    expect(processor.latest().sent).not.toHaveProperty('status_callback_urls')
  })

  test('is one of several where a person has more identities of a type than one request takes; all have to be done', async () => {
    const { processor, by } = await meet(LIKE_MPARTICLE, 'mparticle-v3', KEY)
    const task = taskFor('erase', [...ANA, { type: 'email', value: 'old@example.org' }])
    const accepted = await by.ask(task)
    const sent = [...processor.requests.values()].map(one => one.sent)
    expect(sent.map(({ subject_identities }) => subject_identities)).toEqual([
      { controller_customer_id: { value: 'u-ana', encoding: 'raw' }, email: { value: 'Ana@example.org', encoding: 'raw' } },
      { email: { value: 'old@example.org', encoding: 'raw' } },
    ])
    const [first = '', second = ''] = sent.map(one => one.subject_request_id)
    expect(first).not.toBe(second)
    processor.set(first, 'completed')
    expect((await by.ask(task, location(accepted))).kind).toBe('accepted')
    processor.set(second, 'completed')
    expect((await by.ask(task, location(accepted))).kind).toBe('result')

    const inAnotherOrder = { ...task, subject: { identities: [...task.subject.identities].reverse() } }
    await by.ask(inAnotherOrder)
    expect(processor.requests.size).toBe(2)
  })

  test('that the processor has lost is sent again, and an erasure is never taken for nobody known', async () => {
    const { processor, by } = await meet(LIKE_MPARTICLE, 'mparticle-v3', KEY)
    const task = taskFor('erase')
    const accepted = await by.ask(task)
    processor.requests.clear()
    expect((await by.ask(task, location(accepted))).kind).toBe('accepted')
    expect(processor.requests.size).toBe(1)
  })

  test('for a copy that mParticle then knows nothing of is one of a person nobody knows there', async () => {
    const { processor, by } = await meet(LIKE_MPARTICLE, 'mparticle-v3', KEY)
    const task = taskFor('collect')
    const accepted = await by.ask(task)
    processor.requests.clear()
    expect(await by.ask(task, location(accepted))).toEqual({ kind: 'unknown' })
  })

  test('about somebody of whom another is open waits for that one', async () => {
    const { processor, by } = await meet(LIKE_APPSFLYER, 'appsflyer')
    processor.instead.push((_req, res) => {
      res
        .writeHead(400, { 'content-type': 'application/json' })
        .end(JSON.stringify({ error: { code: 400, af_gdpr_code: 'e215' } }))
      return true
    })
    expect(await by.ask(taskFor('erase'))).toMatchObject({ kind: 'later', code: 'busy' })
  })

  test('for what OpenDSR has no word for is refused without a call', async () => {
    const { processor, by } = await meet(SPECIFIED, '2.0')
    for (const action of ['locate', 'rectify', 'restrict', 'object'] as const)
      expect(await by.ask(taskFor(action))).toMatchObject({ kind: 'failed', code: 'not_supported' })
    expect(processor.calls).toEqual([])
  })
})

describe('a request that nobody waits for any more', () => {
  const promised = async () => {
    const { processor, by } = await meet(LIKE_MPARTICLE, 'mparticle-v3', KEY)
    const task = taskFor('erase', [...ANA, { type: 'email', value: 'old@example.org' }])
    const accepted = await by.ask(task)
    const cancel = () => by.connector.cancel?.({ ...by.contact, taskId: task.taskId, location: location(accepted) })
    return { processor, cancel, ids: [...processor.requests.keys()] }
  }

  test('is cancelled with all that belongs to it, also when the processor has lost it', async () => {
    const { processor, cancel } = await promised()
    expect(await cancel()).toBe('given_up')
    expect([...processor.requests.values()].map(({ status }) => status)).toEqual(['cancelled', 'cancelled'])
    processor.requests.clear()
    expect(await cancel()).toBe('given_up')
  })

  test('goes on where one of them is past that, and is not known to have ended where the processor cannot be asked', async () => {
    const { processor, cancel, ids } = await promised()
    processor.set(ids[1] ?? '', 'in_progress')
    expect(await cancel()).toBe('goes_on')
    processor.instead.push((_req, res) => {
      res.writeHead(503).end()
      return true
    })
    expect(await cancel()).toBe('not_reached')
  })
})

describe('a processor that misbehaves', () => {
  const answers: [string, number, string, Record<string, string>, object][] = [
    ['is busy and says for how long', 429, '{}', { 'retry-after': '120' }, { kind: 'later', code: 'busy', afterSeconds: 120 }],
    ['has broken down', 502, '<html>', {}, { kind: 'later', code: 'server_error' }],
    ['sends us elsewhere', 302, '', { location: 'https://evil.example/' }, { kind: 'failed', code: 'redirected' }],
    ['knows our credentials no more', 401, '{}', {}, { kind: 'failed', code: 'refused' }],
    ['answers with a page', 200, '<html>', {}, { kind: 'failed', code: 'not_json' }],
    ['speaks of another request', 201, '{"subject_request_id":"a"}', {}, { kind: 'failed', code: 'task_mismatch' }],
    ['has no such address', 404, '{}', {}, { kind: 'failed', code: 'unexpected_status' }],
  ]
  test.each(answers)('and %s is told as what it is', async (_name, status, body, headers, expected) => {
    const { processor, by } = await meet(SPECIFIED, '2.0')
    processor.instead.push((_req, res) => {
      res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
      return true
    })
    expect(await by.ask(taskFor('erase'))).toMatchObject(expected)
  })

  test('and gives a status that is none is looked at by a person', async () => {
    const { processor, by } = await meet(SPECIFIED, '2.0')
    const task = taskFor('erase')
    const accepted = await by.ask(task)
    processor.set(idOf(processor), 'completed', { request_status: 'rejected' })
    expect(await by.ask(task, location(accepted))).toMatchObject({ kind: 'failed', code: 'not_valid' })
  })

  test('and asks for time in a body of its own is asked again', async () => {
    const { processor, by } = await meet(LIKE_APPSFLYER, 'appsflyer')
    processor.instead.push((_req, res) => {
      res.writeHead(400).end(JSON.stringify({ error: { code: 500, af_gdpr_code: 'e511' } }))
      return true
    })
    expect(await by.ask(taskFor('erase'))).toMatchObject({ kind: 'later', code: 'busy' })
  })
})

describe('it is looked at again', () => {
  const wait = async (more: object, overrides = {}) => {
    const { processor, by } = await meet(SPECIFIED, '2.0', { overrides })
    const task = taskFor('erase')
    const accepted = await by.ask(task)
    processor.set(idOf(processor), 'pending', more as Record<string, unknown>)
    const answer = await by.ask(task, location(accepted))
    return answer.kind === 'accepted' && answer.retryAfterSeconds
  }
  test.each([
    ['when it expects to have done it', '2026-11-20T13:00:00Z', 3600],
    ['read as UTC without a zone', '2026-11-20T12:10:00.322652', 600],
    ['read with nine digits of a second', '2026-11-20T12:10:00.000000001Z', 600],
    ['every six hours at the least', '2026-12-10T12:10:00Z', 21_600],
    ['as often as is agreed where that is past', '2026-11-20T11:00:00Z', 1800],
    ['as often as is agreed where that is no moment', 'soon', 1800],
  ])('%s', async (_, expected_completion_time, seconds) => {
    expect(await wait({ expected_completion_time }, { pollEvery: 'PT30M' })).toBe(seconds)
  })
})
