import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Answered, type Call, callers } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { letIn } from '../support/let-in.ts'
import { type Service, startService } from '../support/service.ts'

const OWNER = 'archive@almastack.example'
const FILES = {
  name: 'files',
  title: 'Paper files',
  category: 'content',
  origin: 'provided',
  purposes: ['provide_service'],
  legalBases: ['contract'],
  retention: 'account_data',
}
const MANIFEST = {
  protocol: 'dsar-adapter/1',
  name: 'archive',
  actions: ['collect', 'erase'],
  identityTypes: [{ type: 'user_id' }],
  datasets: [FILES],
}
const DAY = 86_400_000

let service: Service
let officer: Call
let second: Call
let asked = 0

beforeAll(async () => {
  service = await startService()
  officer = callers(service).agent(['privacy_officer', 'operator'], 'olga')
  second = callers(service).agent(['privacy_officer'], 'petra')
  const settings = { manifest: MANIFEST, secondPerson: true }
  const unowned = await officer('/v1/adapters', { body: { kind: 'manual', title: 'Paper archive', settings } })
  expect([unowned.status, unowned.body.errors]).toEqual([422, [{ pointer: '/owner', detail: expect.any(String) }]])
  const registered = await officer('/v1/adapters', { body: { kind: 'manual', title: 'Paper archive', owner: OWNER, settings } })
  expect([registered.status, registered.body.kind]).toEqual([201, 'manual'])
  await letIn(service)
})
afterAll(() => service.close())

interface Seen {
  id: string
  key: string
  action: string
  state: string
  problem: { code: string } | null
}

/** A request, and the task of it that somebody has to do. */
async function ask(type = 'access', more: object = {}): Promise<{ at: string; user: string; task: Seen }> {
  const user = `u-paper-${asked++}`
  const subject = { identities: [{ type: 'user_id', value: user }] }
  const assurance = { method: 'portal_login', level: 2, verifiedAt: service.clock.now().toISOString() }
  const { status, body } = await callers(service).service()('/v1/requests', { body: { type, subject, assurance, ...more } })
  expect(status).toBe(201)
  const at = `/v1/requests/${body.id}`
  await eventually(async () => (await taskOf(at))?.state === 'accepted')
  return { at, user, task: (await taskOf(at)) as Seen }
}
const taskOf = async (at: string): Promise<Seen | undefined> => {
  const [row] = await service.sql<Seen>(
    `SELECT id, key, action, state, problem FROM task WHERE request_id = $1 AND action <> 'locate' ORDER BY action`,
    [at.split('/')[3]],
  )
  return row
}
const ndjson = (lines: object[]) => lines.map(line => `${JSON.stringify(line)}\n`).join('')
const copyFor = (user: string, text = 'from a drawer') =>
  ndjson([
    {
      dataset: 'files',
      file: { name: 'letter 1987.txt', mediaType: 'text/plain', base64: Buffer.from(text).toString('base64') },
    },
    { end: { matched: [{ type: 'user_id', value: user }], counts: { files: 1 } } },
  ])
const answer = (by: Call, at: string, { id }: Seen, body: string, type = 'application/x-ndjson') =>
  by(`${at}/tasks/${id}/answer`, { body, headers: { 'content-type': type } })
const approve = (by: Call, at: string, { id }: Seen) => by(`${at}/tasks/${id}/answer/approval`, { method: 'POST' })
const refusal = ({ status, body }: Answered) => [status, body.code]
const mailsTo = (owner: string) => service.mailbox.messages().filter(({ envelope }) => envelope.to.includes(owner))
const tellOwners = () => service.app.handlers['tell-owners']({})

describe('a task that people do', () => {
  test('is done once one has brought what there is and another has agreed, and lies in the package then', async () => {
    const { at, user, task } = await ask()
    expect(refusal(await approve(second, at, task))).toEqual([409, 'illegal_transition'])
    const brought = await answer(officer, at, task, copyFor(user))
    expect([brought.status, brought.body]).toEqual([202, { status: 'second_person_needed' }])
    expect((await taskOf(at))?.state).toBe('accepted')
    expect(refusal(await approve(officer, at, task))).toEqual([403, 'second_person_needed'])
    expect((await approve(second, at, task)).status).toBe(200)
    await eventually(async () => (await taskOf(at))?.state === 'done')
    await eventually(async () => (await officer(at)).body.state !== 'fulfilling')
    expect((await officer(at)).body.completeness).toMatchObject({ complete: true, adaptersAsked: 1, adaptersAnswered: 1 })
    const entries = await service.sql<{ event: string }>(
      `SELECT event FROM audit_entry WHERE stream LIKE $1 AND event LIKE 'answer_%' ORDER BY seq`,
      [`%${at.split('/')[3]}`],
    )
    expect(entries.map(({ event }) => event)).toEqual(['answer_delivered', 'answer_approved'])
  })

  test('is judged like that of a service: what is about somebody else stays in quarantine', async () => {
    const { at, task } = await ask()
    await answer(officer, at, task, copyFor('u-somebody-else'))
    await approve(second, at, task)
    await eventually(async () => (await taskOf(at))?.state === 'quarantined')
  })

  test('is answered once: the same again changes nothing, another is refused', async () => {
    const { at, user, task } = await ask()
    expect((await answer(officer, at, task, copyFor(user))).status).toBe(202)
    expect((await answer(officer, at, task, copyFor(user))).status).toBe(202)
    expect(refusal(await answer(officer, at, task, copyFor(user, 'something else')))).toEqual([409, 'illegal_transition'])
    expect(await service.sql('SELECT 1 FROM delivered_answer WHERE task_key = $1', [task.key])).toHaveLength(1)
  })

  test('is answered by officers, and not on a case of their own', async () => {
    const { at, user, task } = await ask()
    const as = callers(service)
    for (const call of [
      as.service(),
      as.agent(['agent'], 'anna'),
      as.agent(['operator'], 'oskar'),
      as.person('u-9', 'a@example.org'),
    ])
      expect((await answer(call, at, task, copyFor(user))).status).toBe(403)
    expect(refusal(await answer(as.agent(['privacy_officer'], user), at, task, copyFor(user)))[0]).toBeGreaterThanOrEqual(403)
    expect(await service.sql('SELECT 1 FROM delivered_answer WHERE task_key = $1', [task.key])).toEqual([])
  })

  test('is told by mail to whoever does it, at once and three times more, with nothing about anybody', async () => {
    await service.sql(`UPDATE task SET state = 'cancelled' WHERE state = 'accepted'`)
    const { at, user } = await ask()
    const before = mailsTo(OWNER).length
    const told = async (count: number) => {
      await tellOwners()
      await tellOwners()
      await eventually(() => mailsTo(OWNER).length === before + count)
    }
    await told(1)
    const first = mailsTo(OWNER).at(-1)
    expect(first?.subject).toBe('Paper archive: something to be done by hand')
    expect(first?.text).toContain(at.split('/')[3])
    expect(`${first?.text} ${first?.html}`).not.toContain(user)
    const [{ due }] = (await service.sql<{ due: Date }>('SELECT due_at AS due FROM task WHERE request_id = $1', [
      at.split('/')[3],
    ])) as [{ due: Date }]
    for (const [daysBefore, count] of [
      [7.9, 2],
      [4.9, 3],
      [0.9, 4],
    ] as const) {
      service.clock.advanceAlone(due.getTime() - daysBefore * DAY - service.clock.now().getTime())
      await told(count)
    }
    expect(mailsTo(OWNER).at(-1)?.subject).toBe('Paper archive: this still has to be done by hand')
  })
})
