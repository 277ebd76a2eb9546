import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Answered, type Call, callers } from '../support/callers.ts'
import { openRawAdapter, type RawAdapter, registerRaw } from '../support/raw-adapter.ts'
import { type Service, startService } from '../support/service.ts'

let adapter: RawAdapter
let service: Service
let as: ReturnType<typeof callers>
let officer: Call
let dpo: Call
let adapterId: string
let hold: string

beforeAll(async () => {
  adapter = await openRawAdapter('archive')
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: adapter.host }, working: false })
  as = callers(service)
  officer = as.agent(['privacy_officer', 'operator'], 'officer-1')
  dpo = as.agent(['dpo'], 'officer-2')
  adapterId = (await registerRaw([adapter], officer, service)).archive ?? ''
  hold = (await officer('/v1/holds', { body: HOLD })).body.id
  await service.sql(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no record'; END $$`)
})
afterAll(async () => {
  await service.close()
  await adapter.close()
})

const HOLD = { identities: [{ type: 'user_id', value: 'u-held' }], reason: 'litigation', reference: 'LIT-1' }
const POST = { method: 'POST' }
const ANY = { 'if-match': '*' }

/** What can be done to a request, or to what it is answered with, and by whom. */
const ACTIONS: Record<string, (at: string, person: Call) => Promise<Answered>> = {
  'opening a request': (_, person) => person('/v1/requests', { body: { type: 'portability', subject: {} } }),
  'withdrawing it': (at, person) => person(`${at}/withdrawal`, POST),
  'cancelling it': at => officer(`${at}/cancellation`, { body: { reason: 'test_request' }, headers: ANY }),
  'writing to the staff': (at, person) => person(`${at}/messages`, { body: { text: 'Good day.' } }),
  'proving who one is': (at, person) => person(`${at}/proofs`, { body: { method: 'portal_login' } }),
  'refusing it': at =>
    officer(`${at}/decisions`, { body: { kind: 'refuse', ground: 'not_a_right_under_law', reasons: 'No.' }, headers: ANY }),
  'asking the person': at => officer(`${at}/pauses`, { body: { reason: 'clarification', question: 'Which courses?' } }),
  'taking longer': at => officer(`${at}/extensions`, { body: { reason: 'scattered_sources', text: 'Eleven.' }, headers: ANY }),
  'proposing a hold': () => officer('/v1/holds', { body: { ...HOLD, identities: [{ type: 'user_id', value: randomUUID() }] } }),
  'approving a hold': () => dpo(`/v1/holds/${hold}/approval`, POST),
  'stopping an adapter': () => officer(`/v1/adapters/${adapterId}/suspension`, POST),
  'removing an adapter': () => officer(`/v1/adapters/${adapterId}`, { method: 'DELETE', headers: ANY }),
}

/** What counts calls and looks, whatever comes of them. */
const COUNTERS = ['rate_limit', 'viewing_budget', 'staff_member']

/** Every row of every other table. */
async function everythingThereIs(): Promise<Record<string, string>> {
  const tables = await service.sql<{ name: string }>(
    `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
     WHERE (table_schema = 'public' AND table_name <> ALL($1)) OR (table_schema = 'pgboss' AND table_name = 'job')`,
    [COUNTERS],
  )
  const all: Record<string, string> = {}
  for (const { name } of tables) {
    const [row] = await service.sql<{ md5: string }>(
      `SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) AS md5 FROM ${name} t`,
    )
    all[name] = row?.md5 ?? ''
  }
  return all
}

async function request(person: Call): Promise<string> {
  const { body } = await person('/v1/requests', { body: { type: 'access', subject: {} } })
  return `/v1/requests/${body.id}`
}

test.each(Object.entries(ACTIONS))('T51 %s is on the record or does not happen', async (_, act) => {
  const userId = randomUUID()
  const person = as.person(userId, `${userId}@example.org`)
  const at = await request(person)
  const before = await everythingThereIs()
  await service.sql('CREATE TRIGGER refused BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION refuse()')
  const refused = await act(at, person).finally(() => service.sql('DROP TRIGGER refused ON audit_entry'))
  expect([refused.status, refused.body.code]).toEqual([500, 'internal'])
  expect(await everythingThereIs()).toEqual(before)

  const recorded = async () => (await service.sql('SELECT 1 FROM audit_entry')).length
  const entries = await recorded()
  expect((await act(at, person)).status).toBeLessThan(300)
  expect(await recorded()).toBeGreaterThan(entries)
})
