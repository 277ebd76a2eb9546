import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import type { TaskCall } from '../../src/adapters/protocol.ts'
import { type Call, callers } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { letIn } from '../support/let-in.ts'
import { type Service, startService } from '../support/service.ts'

const SECRET = `whsec_${Buffer.from('p'.repeat(32)).toString('base64')}`
const LETTERS = {
  name: 'letters',
  title: 'Letters',
  category: 'content',
  origin: 'provided',
  purposes: ['provide_service'],
  legalBases: ['contract'],
  retention: 'account_data',
}
const MANIFEST = {
  protocol: 'dsar-adapter/1',
  name: 'vaulted',
  actions: ['locate', 'collect', 'erase'],
  identityTypes: [{ type: 'user_id' }],
  datasets: [LETTERS],
}

let service: Service
let officer: Call
let id: string

beforeAll(async () => {
  service = await startService()
  officer = callers(service).agent(['privacy_officer', 'operator'], 'olga')
  const body = { kind: 'pull', secret: SECRET, settings: { manifest: MANIFEST } }
  const registered = await officer('/v1/adapters', { body })
  expect([registered.status, registered.body.kind, registered.body.state]).toEqual([201, 'pull', 'trial'])
  id = registered.body.id
  const checked = await officer(`/v1/adapters/${id}/check`, { method: 'POST' })
  expect(checked.body.passed).toBe(true)
  await letIn(service)
})
afterAll(() => service.close())

interface Sent {
  type?: string
  secret?: string
  webhookId?: string
  at?: Date
  signedAs?: string
}

/** What the adapter sends from behind its firewall. */
async function send(
  path: string,
  body: string,
  { type = 'application/json', secret = SECRET, webhookId = randomUUID(), at = new Date(), signedAs = body }: Sent = {},
) {
  const response = await fetch(`${service.url}/v1/adapters/${id}/tasks/${path}`, {
    method: 'POST',
    headers: {
      'content-type': type,
      'webhook-id': webhookId,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': new Webhook(secret).sign(webhookId, at, signedAs),
    },
    body,
  })
  return { status: response.status, body: (await response.json()) as { tasks: TaskCall[] } }
}
const lease = async (): Promise<TaskCall[]> => (await send('lease', '{}')).body.tasks
/** The next task that waits for it. */
async function nextTask(): Promise<TaskCall> {
  const handed: TaskCall[] = []
  await eventually(async () => {
    handed.push(...(await lease()))
    return handed.length > 0
  })
  return handed[0] as TaskCall
}
const NDJSON = 'application/x-ndjson'
const located = ({ taskId, subject }: TaskCall, count: number) =>
  JSON.stringify({ taskId, matched: subject.identities, datasets: [{ name: 'letters', outcome: 'completed', count }] })
const collected = ({ subject }: TaskCall, texts: string[]) =>
  [
    ...texts.map(text => ({ dataset: 'letters', record: { text } })),
    { dataset: 'letters', file: { name: 'scan.txt', mediaType: 'text/plain', base64: Buffer.from('a scan').toString('base64') } },
    { end: { matched: subject.identities, counts: { letters: texts.length + 1 } } },
  ]
    .map(line => `${JSON.stringify(line)}\n`)
    .join('')

let asked = 0
async function ask(): Promise<string> {
  const subject = { identities: [{ type: 'user_id', value: `u-pull-${asked++}` }] }
  const assurance = { method: 'portal_login', level: 2, verifiedAt: new Date().toISOString() }
  const { status, body } = await callers(service).service()('/v1/requests', { body: { type: 'access', subject, assurance } })
  expect(status).toBe(201)
  return `/v1/requests/${body.id}`
}
const tasksOf = async (at: string) =>
  (await officer(`${at}/tasks`)).body.tasks as { action: string; state: string; problem: { code: string } | null }[]
const taskOf = async (at: string, action: string) => (await tasksOf(at)).find(task => task.action === action)

describe('a service that fetches its tasks', () => {
  test('is asked, answers in its own time, and what it brings is in the package', async () => {
    const at = await ask()
    const locate = await nextTask()
    expect([locate.action, locate.scope, locate.callbackUrl]).toEqual(['locate', { datasets: ['letters'] }, undefined])
    expect(await lease()).toEqual([]) // it is leased
    expect((await send(`${locate.taskId}/result`, located(locate, 3))).status).toBe(202)
    const collect = await nextTask()
    expect(collect.action).toBe('collect')
    expect((await send(`${collect.taskId}/result`, collected(collect, ['one', 'two']), { type: NDJSON })).status).toBe(202)
    await eventually(async () => (await taskOf(at, 'collect'))?.state === 'done')
    expect((await send(`${collect.taskId}/result`, collected(collect, ['one', 'two']), { type: NDJSON })).status).toBe(404)
    const parts = await service.sql<{ kind: string }>('SELECT kind FROM part WHERE request_id = $1 ORDER BY 1', [
      at.split('/')[3],
    ])
    expect(parts.map(({ kind }) => kind)).toEqual(['file', 'records', 'table'])
  })

  test('says that somebody is not known there', async () => {
    const at = await ask()
    for (const action of ['locate', 'collect']) {
      const { taskId } = await nextTask()
      await send(`${taskId}/result`, JSON.stringify({ taskId, status: 'unknown_person' }), { type: 'application/status+json' })
      await eventually(async () => (await taskOf(at, action))?.state === 'done')
    }
    await eventually(async () => (await officer(at)).body.completeness?.complete === true)
  })

  test('is judged like any other: what is about somebody else stays in quarantine', async () => {
    const at = await ask()
    const locate = await nextTask()
    await send(
      `${locate.taskId}/result`,
      located({ ...locate, subject: { identities: [{ type: 'user_id', value: 'u-ben' }] } }, 3),
    )
    await eventually(async () => (await taskOf(at, 'locate'))?.state === 'quarantined')
  })

  test('that sends nonsense is named, and asked again under another id once a person has it asked', async () => {
    const at = await ask()
    const locate = await nextTask()
    await send(`${locate.taskId}/result`, '{"taskId": 1}')
    await eventually(async () => (await taskOf(at, 'locate'))?.state === 'failed')
    expect((await taskOf(at, 'locate'))?.problem?.code).toBe('not_valid')
    const { id: task } = (await officer(`${at}/tasks`)).body.tasks.find((one: { action: string }) => one.action === 'locate')
    expect((await officer(`${at}/tasks/${task}/retry`, { method: 'POST' })).status).toBe(202)
    const again = await nextTask()
    expect(again.taskId).not.toBe(locate.taskId)
    await send(`${again.taskId}/result`, located(again, 0))
    await eventually(async () => (await taskOf(at, 'locate'))?.state === 'done')
    const { taskId } = await nextTask()
    await send(`${taskId}/result`, JSON.stringify({ taskId, status: 'unknown_person' }), { type: 'application/status+json' })
    await eventually(async () => (await taskOf(at, 'collect'))?.state === 'done')
  })

  test('T76 gets a task again whose answer did not come in time; the first answer counts, and another is refused, and on the record', async () => {
    const at = await ask()
    const first = await nextTask()
    await service.sql(`UPDATE handed_task SET leased_until = now() - interval '1 second' WHERE leased_key = $1`, [first.taskId])
    const again = await nextTask()
    expect({ ...again, attempt: 0 }).toEqual({ ...first, attempt: 0 })
    await officer('/v1/adapters/suspension', { method: 'POST' }) // so that nobody reads it yet
    expect((await send(`${first.taskId}/result`, located(first, 2))).status).toBe(202)
    expect((await send(`${first.taskId}/result`, located(first, 2))).status).toBe(202)
    expect((await send(`${first.taskId}/result`, located(first, 5))).status).toBe(409)
    const noted = (await officer(`${at}/timeline`)).body.entries.filter(
      ({ event }: { event: string }) => event === 'answer_contradicted',
    )
    expect(noted).toMatchObject([{ by: { kind: 'adapter', id: 'vaulted' } }])
    await officer('/v1/adapters/suspension', { method: 'DELETE' })
  })
})

describe('nobody else', () => {
  test.each([
    ['with another secret', { secret: `whsec_${Buffer.from('x'.repeat(32)).toString('base64')}` }],
    ['with a body that was changed by a space', { signedAs: '{} ' }],
    ['ten minutes late', { at: new Date(Date.now() - 600_000) }],
  ])('gets a task or brings an answer %s', async (_, more) => {
    const at = await ask()
    await eventually(async () => (await taskOf(at, 'locate'))?.state === 'accepted')
    expect((await send('lease', '{}', more)).status).toBe(401)
    const task = await nextTask()
    expect(
      (await send(`${task.taskId}/result`, located(task, 1), { ...more, ...('signedAs' in more && { signedAs: 'other' }) }))
        .status,
    ).toBe(401)
    expect(await service.sql('SELECT 1 FROM delivered_answer WHERE task_key = $1', [task.taskId])).toEqual([])
    expect((await taskOf(at, 'locate'))?.state).toBe('accepted')
  })

  test('gets tasks by sending again what was sent before', async () => {
    const webhookId = randomUUID()
    expect((await send('lease', '{}', { webhookId })).status).toBe(200)
    expect((await send('lease', '{}', { webhookId })).status).toBe(401)
  })
})
