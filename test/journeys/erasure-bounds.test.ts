import { afterEach, describe, expect, test } from '@jest/globals'
import { endOfDay } from '../../src/domain/day.ts'
import { type ErasureCase, isCompleted, openHonestAdapter, startErasureCase } from '../support/erasure-case.ts'
import { eventually } from '../support/eventually.ts'
import { sendJson } from '../support/raw-adapter.ts'
import { type ServiceProcess, startWorker } from '../support/worker-process.ts'

const DAY = 24
let one: ErasureCase
let worker: ServiceProcess | undefined
afterEach(async () => {
  worker?.kill('SIGKILL')
  await worker?.exited
  worker = undefined
  await one.close()
})

/** Two people put somebody under a hold. @returns how two people end it */
async function hold(value: string): Promise<() => Promise<void>> {
  const body = { identities: [{ type: 'user_id', value }], reason: 'litigation', reference: 'LIT-1' }
  const { id } = (await one.officer('/v1/holds', { body })).body
  const POST = { method: 'POST' }
  expect((await one.dpo(`/v1/holds/${id}/approval`, POST)).status).toBe(200)
  return async () => {
    await one.dpo(`/v1/holds/${id}/release`, { body: { reason: 'matter_ended' } })
    expect((await one.officer(`/v1/holds/${id}/release/approval`, POST)).status).toBe(200)
  }
}
const onHold = ({ flags }: { flags: string[] }) => flags.includes('on_hold')
const erasures = (adapter: { calls: { task: { action: string } | undefined }[] }) =>
  adapter.calls.filter(({ task }) => task?.action === 'erase')

describe('a legal hold', () => {
  test('that is there before keeps an erasure from beginning; once it is over, people let it go on', async () => {
    const adapter = await openHonestAdapter('things')
    one = await startErasureCase([adapter])
    const userId = 'u-held'
    const release = await hold(userId)
    const again = await one.as.person(userId, 'held@example.org')('/v1/requests', { body: { type: 'erasure', subject: {} } })
    expect(again.status).toBe(201)
    const second = `/v1/requests/${again.body.id}`
    expect((await one.see(second, onHold)).state).toBe('assessing')
    const approve = async () => {
      const { headers } = await one.officer(second)
      const etag = headers.get('etag') ?? ''
      return one.officer(`${second}/decisions`, { body: { kind: 'approve' }, headers: { 'if-match': etag } })
    }
    expect((await approve()).status).toBe(409)
    await release()
    expect((await approve()).status).toBe(201)
    await one.coolOff(second)
    await one.see(second, isCompleted)
  }, 40_000)

  test('that comes while it cools off, or between two erasures, stops what is not gone yet, and lets it go on when it ends', async () => {
    const [first, second] = [await openHonestAdapter('first'), await openHonestAdapter('second', { eraseAfter: ['first'] })]
    one = await startErasureCase([first, second])
    const { at, userId } = await one.erase()
    await one.see(at, ({ state }) => state === 'cooling_off')
    const releaseFirst = await hold(userId)
    await one.pass(73)
    expect((await one.see(at, onHold)).state).toBe('cooling_off')
    await releaseFirst()

    const { erase } = first.on
    let releaseSecond: (() => Promise<void>) | undefined
    first.on.erase = async (task, res, req) => {
      releaseSecond ??= await hold(userId)
      await erase(task, res, req)
    }
    await one.pass(0)
    await one.seeTask(at, 'first', ({ state }) => state === 'done', 'erase')
    await one.pass(0)
    await one.see(at, onHold)
    expect([(await one.taskOf(at, 'second', 'erase')).state, erasures(second).length]).toEqual(['ready', 0])
    await releaseSecond?.()
    await one.see(at, isCompleted)
    expect(erasures(second)).toHaveLength(1)
  }, 40_000)
})

test('an erasure can be withdrawn until it is carried out, and not after', async () => {
  const adapter = await openHonestAdapter('things')
  one = await startErasureCase([adapter])
  const early = await one.erase()
  await one.see(early.at, ({ state }) => state === 'cooling_off')
  expect((await early.person(`${early.at}/withdrawal`, { method: 'POST' })).body.state).toBe('withdrawn')
  const late = await one.erase()
  adapter.on.erase = (_task, res) => res.writeHead(503).end()
  await one.coolOff(late.at)
  await one.see(late.at, ({ state }) => state === 'fulfilling')
  const { status, body } = await late.person(`${late.at}/withdrawal`, { method: 'POST' })
  expect([status, body.code]).toEqual([409, 'illegal_transition'])
  expect(erasures(adapter).every(({ task }) => task?.action === 'erase')).toBe(true)
}, 30_000)

test('cooling off and what the adapters are told keep to the law of the person’s place, where it allows less than we promise', async () => {
  const adapter = await openHonestAdapter('things')
  one = await startErasureCase([adapter], { ERASURE_COOLING_HOURS: '240', TIME_ZONE: 'Europe/Berlin' })
  const now = one.service.clock.now()
  const { body } = await one.as.service()('/v1/requests', {
    body: {
      type: 'erasure',
      subject: { identities: [{ type: 'user_id', value: 'u-br' }], country: 'BR', timeZone: 'America/Sao_Paulo' },
      receivedAt: new Date(now.getTime() - 7 * DAY * 3_600_000).toISOString(),
      reference: 'ZD-7',
      assurance: { method: 'portal_login', level: 2, verifiedAt: now.toISOString() },
    },
  })
  const at = `/v1/requests/${body.id}`
  const { dueOn, legalDueOn, coolsOffAt } = await one.see(at, ({ state }) => state === 'cooling_off')
  expect(legalDueOn < dueOn).toBe(true)
  const lastMoment = endOfDay(legalDueOn, 'Europe/Berlin') // over before it is in São Paulo
  expect(lastMoment.getTime() - Date.parse(coolsOffAt)).toBe(2 * DAY * 3_600_000)
  await eventually(async () => adapter.calls.some(({ task }) => task?.action === 'locate'))
  expect(adapter.calls.map(({ task }) => task?.dueAt)).toEqual(adapter.calls.map(() => lastMoment.toISOString()))
})

test('each try asks the same under the same key', async () => {
  const adapter = await openHonestAdapter('things')
  one = await startErasureCase([adapter])
  const { erase } = adapter.on
  let tries = 0
  adapter.on.erase = (task, res, req) => {
    tries += 1
    return tries < 4 ? res.writeHead(503).end() : erase(task, res, req)
  }
  const { at } = await one.erase()
  await one.coolOff(at)
  await one.see(at, isCompleted, 30_000)
  const asked = adapter.calls.filter(({ task }) => task?.action === 'erase')
  expect(asked.map(({ task }) => task?.attempt)).toEqual([1, 2, 3, 4])
  const same = asked.map(({ key, task }) => JSON.stringify([key, { ...task, attempt: 0 }]))
  expect(new Set(same).size).toBe(1)
  expect(asked[0]?.task).toMatchObject({ parameters: { ground: '17_1_b' }, legalGround: '17_1_b' })
}, 60_000)

test('an erasure that was made, and whose answer was lost, is found made by whoever has it asked again at once', async () => {
  const adapter = await openHonestAdapter('things')
  one = await startErasureCase([adapter])
  const { erase } = adapter.on
  const done = new Map<string, unknown>()
  adapter.on.erase = (task, res, req) => {
    if (done.has(task.taskId)) return sendJson(res, 200, done.get(task.taskId))
    if (done.size > 0) return res.writeHead(204).end() // nobody is known any more under another key
    const matched = task.subject.identities.slice(0, 1)
    done.set(task.taskId, { taskId: task.taskId, matched, datasets: [{ name: 'things', outcome: 'completed', count: 2 }] })
    res.destroy()
    return erase(task, res, req)
  }
  const { at } = await one.erase()
  await one.coolOff(at)
  const eraseTask = async () =>
    (await one.officer(`${at}/tasks`)).body.tasks.find(({ action }: { action: string }) => action === 'erase')
  await eventually(async () => (await eraseTask())?.failures === 1)
  await one.officer(`${at}/tasks/${(await eraseTask()).id}/retry`, { method: 'POST' })
  await one.see(at, isCompleted, 20_000)
  expect(new Set(adapter.calls.filter(({ task }) => task?.action === 'erase').map(({ key }) => key)).size).toBe(1)
}, 40_000)

test('an erasure narrowed to what nobody holds leaves the account, marks nobody erased, and says that nothing was', async () => {
  const adapter = await openHonestAdapter('things')
  one = await startErasureCase([adapter])
  const { at, email } = await one.erase({ scope: { categories: ['content'] } })
  await one.coolOff(at)
  await one.see(at, isCompleted)
  expect(erasures(adapter)).toEqual([])
  const crm = one.as.service({ scope: 'subjects:lookup' })
  const { body } = await crm('/v1/subjects/lookup', { body: { identities: [{ type: 'email', value: email }] } })
  expect(body.subjects[0]).toMatchObject({ erased: false })
  const letters = () => one.service.mailbox.messages().filter(({ envelope }) => envelope.to.includes(email))
  await eventually(() => letters().some(({ text }) => text.includes('Nothing was erased')))
  expect(letters().some(({ text }) => text.includes('we erased'))).toBe(false)
}, 30_000)

test('recipients whom an adapter has told are on the list; the others are settled by people, with the reason where there is one', async () => {
  const adapter = await openHonestAdapter('things')
  one = await startErasureCase([adapter])
  const { recipients: known } = one.service.config.policy
  const [told] = known.filter(({ receives }) => receives.includes('account'))
  const { erase } = adapter.on
  adapter.on.erase = (task, res, req) => {
    if (!told) return erase(task, res, req)
    return sendJson(res, 200, {
      taskId: task.taskId,
      matched: task.subject.identities.slice(0, 1),
      datasets: [{ name: 'things', outcome: 'completed', count: 2 }],
      recipients: [
        { name: told.name, outcome: 'acknowledged' },
        { name: 'Somebody Else', outcome: 'failed' },
      ],
    })
  }
  adapter.on.locate = (_task, res) => res.writeHead(204).end()
  const { at, person } = await one.erase()
  await one.coolOff(at)
  await one.see(at, isCompleted)
  const list = async () =>
    (await person(`${at}/recipients`)).body.recipients as { recipient: string; state: string; why: string | null }[]
  expect(told).toBeDefined()
  expect((await list()).find(({ recipient }) => recipient === told?.name)).toMatchObject({
    state: 'acknowledged',
    action: 'erase',
  })
  expect((await list()).map(({ recipient }) => recipient)).not.toContain('Somebody Else')
  expect((await one.entries(at)).find(({ event }) => event === 'recipients_told')?.facts).toMatchObject({ unknown: 1 })

  const digest = async () => {
    await one.service.sql(`DELETE FROM letter WHERE kind = 'daily-digest'`)
    one.service.mailbox.clear()
    await one.service.app.handlers['send-digest']({})
    return (await one.service.mailbox.waitFor(({ text }) => text.includes('Recipients not told'), 5000)).text
  }
  expect(await digest()).toContain('Recipients not told for two weeks (Article 19 GDPR): 0')
  const path = `${at}/recipients/${encodeURIComponent(told?.name ?? '')}`
  expect((await one.officer(path, { body: { state: 'failed' } })).status).toBe(200)
  one.service.clock.advanceAlone(15 * DAY * 3_600_000)
  expect(await digest()).toContain('Recipients not told for two weeks (Article 19 GDPR): 1')
  expect((await one.officer(path, { body: { state: 'impossible' } })).body.errors[0].pointer).toBe('/why')
  expect((await one.officer(path, { body: { state: 'impossible', why: 'recipient_gone' } })).status).toBe(200)
  expect((await list()).find(({ recipient }) => recipient === told?.name)).toMatchObject({
    state: 'impossible',
    why: 'recipient_gone',
  })
  expect((await one.officer(`${at}/recipients/nobody`, { body: { state: 'sent' } })).status).toBe(404)
  expect((await one.as.person('u-other', 'other@example.org')(`${at}/recipients`)).status).toBe(404)
}, 30_000)

test('the plan does not wait for who is slow: it says so, and what the others count', async () => {
  const [quick, slow] = [await openHonestAdapter('quick'), await openHonestAdapter('slow')]
  one = await startErasureCase([quick, slow])
  slow.on.locate = () => undefined // and never answers
  slow.on.erase = () => undefined
  const { at } = await one.erase()
  await one.see(at, ({ state }) => state === 'cooling_off')
  await one.seeTask(at, 'quick', ({ state }) => state === 'done', 'locate')
  const began = Date.now()
  const { adapters } = (await one.officer(`${at}/plan`)).body
  expect(Date.now() - began).toBeLessThan(12_000)
  const seen = adapters.map(
    ({ adapter, problem, datasets: [first] }: { adapter: string; problem: string; datasets: { count: number }[] }) => [
      ...[adapter, problem, first?.count],
    ],
  )
  expect(seen).toEqual([
    ['quick', null, 2],
    ['slow', 'too_slow', null],
  ])
}, 30_000)

test('who was erased is forgotten once no backup can bring them back; that they were is still recognised', async () => {
  const adapter = await openHonestAdapter('things')
  one = await startErasureCase([adapter])
  const { at, id, email, userId } = await one.erase()
  await one.coolOff(at)
  await one.see(at, isCompleted)
  const forget = () => one.service.app.handlers['forget-expired']({})
  const identities = () => one.service.sql('SELECT 1 FROM request_identity WHERE request_id = $1', [id])
  await one.pass(8 * DAY)
  await eventually(async () => (await one.events(at)).filter(event => event === 'erasure_confirmed_again').length === 1)
  await one.pass(23 * DAY)
  await eventually(async () => (await one.events(at)).filter(event => event === 'erasure_confirmed_again').length === 2)
  await forget()
  expect((await identities()).length).toBeGreaterThan(0)
  await one.pass(5 * DAY)
  await forget()
  expect(await identities()).toEqual([])
  expect(await one.events(at)).toContain('person_forgotten')

  for (const column of await one.service.sql<{ t: string; c: string }>(
    `SELECT table_name AS t, column_name AS c FROM information_schema.columns c
     WHERE table_schema = 'public' AND column_name LIKE '%\\_sealed'
       AND EXISTS (SELECT FROM information_schema.columns i WHERE i.table_name = c.table_name AND i.column_name = 'request_id')`,
  ))
    expect([
      column,
      await one.service.sql(`SELECT 1 FROM ${column.t} WHERE request_id = $1 AND ${column.c} IS NOT NULL`, [id]),
    ]).toEqual([column, []])
  const [dump] = await one.service.sql<{ rows: string }>(
    `SELECT string_agg(r::text, ' ') || (SELECT string_agg(e::text, ' ') FROM audit_entry e) AS rows FROM dsar_request r`,
  )
  expect([dump?.rows.includes(email), dump?.rows.includes(userId)]).toEqual([false, false])
  const crm = one.as.service({ scope: 'subjects:lookup' })
  const { body } = await crm('/v1/subjects/lookup', { body: { identities: [{ type: 'email', value: email }] } })
  expect(body.subjects[0]).toMatchObject({ erased: true })
  expect((await one.officer(at)).body).toMatchObject({ state: 'completed', subject: { identities: [] } })
}, 60_000)

test('a worker that is killed while others erase is replaced; nothing is done under two names', async () => {
  const adapters = await Promise.all(['a', 'b', 'c'].map(name => openHonestAdapter(name)))
  const [a] = adapters
  if (!a) throw new Error('There are three.')
  one = await startErasureCase(adapters, {}, { working: false })
  worker = startWorker(one.service, { ERASURE_COOLING_HOURS: '1' })
  await worker.started
  const { at } = await one.erase()
  await one.see(at, ({ state }) => state === 'cooling_off')
  const asked = Promise.withResolvers<void>()
  const { erase } = a.on
  a.on.erase = () => asked.resolve() // and never answers
  await one.service.sql(`UPDATE dsar_request SET cools_off_at = now() - interval '1 minute'`)
  await one.service.app.handlers['end-cooling-off']({})
  await asked.promise
  await one.seeTask(at, 'b', ({ state }) => state === 'done', 'erase')
  worker.kill('SIGKILL')
  await worker.exited
  a.on.erase = erase
  worker = startWorker(one.service)
  await worker.started
  await one.see(at, isCompleted, 60_000)
  for (const adapter of adapters)
    expect([adapter.name, new Set(erasures(adapter).map(({ task }) => (task as { taskId?: string }).taskId)).size]).toEqual([
      adapter.name,
      1,
    ])
  const events = await one.events(at)
  expect([
    events.filter(event => event === 'carried_out').length,
    events.filter(event => event === 'handed_over').length,
  ]).toEqual([1, 1])
}, 120_000)
