import { randomBytes, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { type Adapter, createAdapter, type DatasetDefinition, type Found } from '../../src/adapter-kit/adapter.ts'
import { type Answered, type Call, callers } from '../support/callers.ts'
import { holdingUntilReleased } from '../support/held.ts'
import { letIn } from '../support/let-in.ts'
import { type Service, startService } from '../support/service.ts'

let service: Service
let as: ReturnType<typeof callers>
let operator: Call
let officer: Call
let open: Adapter[] = []
let names = 0
const ports: number[] = []

const newSecret = () => `whsec_${randomBytes(24).toString('base64')}`

beforeAll(async () => {
  ports.push(...(await Promise.all(Array.from({ length: 4 }, freePort))))
  const ADAPTER_ALLOWED_HOSTS = ports.map(port => `127.0.0.1:${port}`).join(',')
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS }, working: false })
  as = callers(service)
  operator = as.agent(['operator'])
  officer = as.agent(['privacy_officer'])
})
afterEach(async () => {
  await Promise.all(open.map(adapter => adapter.close()))
  open = []
})
afterAll(() => service.close())

async function freePort(): Promise<number> {
  const probe = createAdapter(definitionOf({ secrets: newSecret() }))
  const { url } = await probe.listen(0)
  await probe.close()
  return Number(new URL(url).port)
}

type Definition = Parameters<typeof createAdapter<Found>>[0]

function definitionOf(more: Partial<Definition>, dataset: Partial<DatasetDefinition<Found>> = {}): Definition {
  const notes: DatasetDefinition<Found> = {
    title: 'Notes',
    category: 'content',
    origin: 'provided',
    purposes: ['provide_service'],
    legalBases: ['contract'],
    retention: 'account_data',
    recipients: [],
    fields: [{ name: 'text', type: 'string', title: 'Text' }],
    count: () => 0,
    records: () => [],
    ...dataset,
  }
  return {
    name: `notes${names}`,
    secrets: newSecret(),
    identityTypes: [{ type: 'email' }],
    datasets: { notes },
    find: () => undefined,
    ...more,
  }
}

/** An adapter at one of the addresses that the operator allows. */
async function serve(more: Partial<Definition>, dataset?: Partial<DatasetDefinition<Found>>): Promise<string> {
  const adapter = createAdapter(definitionOf(more, dataset))
  const { url } = await adapter.listen(ports[open.length])
  open.push(adapter)
  return url
}
const register = (body: object, headers = {}) => operator('/v1/adapters', { body, headers })
async function registered(more: Partial<Definition> = {}) {
  const secret = newSecret()
  const name = more.name ?? `notes${++names}`
  const baseUrl = await serve({ name, secrets: secret, ...more })
  const answer = await register({ baseUrl, secret })
  expect(answer.status).toBe(201)
  return { name, secret, baseUrl, at: `/v1/adapters/${answer.body.id}`, id: answer.body.id as string, answer }
}
const patch = (at: string, body: object, headers: Record<string, string>) => operator(at, { method: 'PATCH', body, headers })
const ifMatch = async (at: string) => ({ 'if-match': (await operator(at)).headers.get('etag') ?? '' })
const eventsOf = async (id: string) =>
  (
    await service.sql<{ event: string; by: string; facts: object }>(
      `SELECT event, actor_kind AS by, facts FROM audit_entry WHERE stream = 'adapters' AND facts ->> 'adapterId' = $1 ORDER BY seq`,
      [id],
    )
  ).map(({ event }) => event)
const refusal = ({ status, body }: Answered) => [status, body.code]

describe('an adapter', () => {
  test('is registered by what it says of itself, listed, and read', async () => {
    const { name, baseUrl, at, answer } = await registered()
    expect(answer.headers.get('location')).toBe(at)
    expect(answer.headers.get('etag')).toBe('"v1"')
    expect(answer.body).toMatchObject({
      name,
      title: name,
      baseUrl,
      state: 'trial',
      liveSince: null,
      secret: '***',
      manifest: { name, datasets: [{ category: 'content' }] },
    })
    for (const call of [operator, officer, as.agent(['dpo']), as.service()]) {
      expect((await call(at)).body).toEqual(answer.body)
      expect((await call('/v1/adapters')).body.adapters).toContainEqual(answer.body)
    }
    expect(await eventsOf(answer.body.id)).toEqual(['adapter_registered'])
  })

  test('that speaks our protocol has an address, and nothing that other kinds need', async () => {
    const secret = newSecret()
    const baseUrl = await serve({ name: `notes${++names}`, secrets: secret })
    const pointers = async (body: object) => (await register(body)).body.errors.map(({ pointer }: { pointer: string }) => pointer)
    expect(await pointers({ secret })).toEqual(['/baseUrl'])
    expect(await pointers({ baseUrl, secret, credentials: { token: 'abc' }, settings: { a: 1 } })).toEqual([
      '/credentials',
      '/settings',
    ])
    expect(refusal(await register({ kind: 'oracle', baseUrl, secret }))).toEqual([400, 'invalid_request'])
  })

  test('is registered by a service that may', async () => {
    const secret = newSecret()
    const baseUrl = await serve({ name: `notes${++names}`, secrets: secret })
    const reader = as.service({ scope: 'adapters:read requests:open' })
    expect((await reader('/v1/adapters', { body: { baseUrl, secret } })).status).toBe(403)
    expect((await as.service()('/v1/adapters', { body: { baseUrl, secret } })).status).toBe(201)
  })

  test('is not registered under a name that is taken', async () => {
    const { name } = await registered()
    const secret = newSecret()
    expect(refusal(await register({ baseUrl: await serve({ name, secrets: secret }), secret }))).toEqual([409, 'already_exists'])
  })

  test('of one name is registered once by two at the same time', async () => {
    const secret = newSecret()
    const name = `notes${++names}`
    const baseUrl = await serve({ name, secrets: secret })
    const held = await holdingUntilReleased(service, 'LOCK TABLE adapter IN SHARE MODE')
    const both = [1, 2].map(() => register({ baseUrl, secret }))
    await held.waiting(2)
    await held.release()
    expect((await Promise.all(both)).map(({ status }) => status).sort()).toEqual([201, 409])
  })

  test('that does not answer, or does not know the secret, is not registered', async () => {
    const baseUrl = await serve({ name: `notes${++names}` })
    expect(refusal(await register({ baseUrl: `http://127.0.0.1:${ports[3]}`, secret: newSecret() }))).toEqual([
      422,
      'manifest_refused',
    ])
    expect(refusal(await register({ baseUrl: `${baseUrl}/elsewhere`, secret: newSecret() }))).toEqual([422, 'manifest_refused'])
  })

  test('may only claim what the privacy policy tells people', async () => {
    const secret = newSecret()
    const wrong = {
      category: 'horoscopes',
      purposes: ['provide_service', 'fun'],
      retention: 'for_ever',
      recipients: ['Anybody Ltd'],
    }
    const answer = await register({ baseUrl: await serve({ name: `notes${++names}`, secrets: secret }, wrong), secret })
    expect(refusal(answer)).toEqual([422, 'manifest_refused'])
    expect(answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      '/datasets/0/category',
      '/datasets/0/purposes/1',
      '/datasets/0/retention',
      '/datasets/0/recipients/0',
    ])
  })

  test.each([
    { baseUrl: 'not a url' },
    { baseUrl: 'https://a.example', secret: 'whsec_short' },
    { baseUrl: 'https://a.example', state: 'live' },
    { baseUrl: 'https://a.example', manifest: {} },
    { baseUrl: 'https://a.example', title: 'a\u0000b' },
  ])('is described by nobody but itself: %j', async body => {
    expect(refusal(await register(body))).toEqual([400, 'invalid_request'])
  })
})

describe('an address is refused, and not called', () => {
  test.each([
    'http://127.0.0.1',
    'http://127.0.0.1:1',
    'https://0x7f.1',
    'https://2130706433',
    'https://0177.0.0.1',
    'https://127.1',
    'https://0',
    'https://[::1]',
    'https://[::]',
    'https://[::ffff:127.0.0.1]',
    'https://[64:ff9b::7f00:1]',
    'https://[fd00:ec2::254]',
    'https://169.254.169.254',
    'https://100.100.100.200',
    'https://10.0.0.1',
    'https://172.16.0.1',
    'https://192.168.0.1',
    'https://localhost.',
    'https://a.localhost',
    'file:///etc/passwd',
    'gopher://a.example',
    'ftp://a.example',
    'https://a.example:22',
    'https://user:pass@a.example',
    'http://a.example',
  ])('%s', async baseUrl => {
    const { status, body } = await register({ baseUrl })
    expect([status, body.code]).toEqual([422, 'address_refused'])
    expect(body.detail).toMatch(/^[A-Z].+\.$/)
    expect(body.detail).not.toContain(new URL(baseUrl).hostname || 'etc')
  })

  test('also in a change', async () => {
    const { at } = await registered()
    const answer = await patch(at, { baseUrl: 'https://10.0.0.1' }, await ifMatch(at))
    expect(refusal(answer)).toEqual([422, 'address_refused'])
  })
})

describe('a secret', () => {
  test('T62 that the service makes is shown once', async () => {
    // the adapter takes any call here, as one does that is given its secret afterwards
    let served = ''
    const server = createServer((_, res) => res.writeHead(200, { 'content-type': 'application/json' }).end(served))
    await new Promise<void>(listening => server.listen(ports[2], '127.0.0.1', listening))
    try {
      const model = await registered()
      served = JSON.stringify({ ...model.answer.body.manifest, name: `notes${++names}` })
      const key = { 'idempotency-key': randomUUID() }
      const first = await register({ baseUrl: `http://127.0.0.1:${ports[2]}` }, key)
      expect([first.status, first.body.secret]).toEqual([201, expect.stringMatching(/^whsec_[A-Za-z0-9+/]{32}$/)])
      served = 'away'
      const again = await register({ baseUrl: `http://127.0.0.1:${ports[2]}` }, key)
      expect([again.status, again.body]).toEqual([201, first.body])
      expect((await operator(`/v1/adapters/${first.body.id}`)).body.secret).toBe('***')
    } finally {
      await new Promise(closed => server.close(closed))
    }
  })

  test('is in no answer, log line, record or table', async () => {
    const { at, secret, answer } = await registered()
    const list = await operator('/v1/adapters')
    const changed = await patch(at, { title: 'Notes' }, await ifMatch(at))
    const [table] = await service.sql<{ all: string }>(`SELECT string_agg(a::text, ' ') AS all FROM adapter a`)
    const [record] = await service.sql<{ all: string }>(`SELECT string_agg(e::text, ' ') AS all FROM audit_entry e`)
    const said = [answer, list, changed, await operator(at)].map(({ bytes }) => bytes.toString())
    const bare = secret.slice('whsec_'.length)
    for (const text of [...said, table?.all, record?.all, service.logs.join('')])
      for (const spelling of [bare, Buffer.from(bare).toString('hex'), Buffer.from(bare, 'base64').toString('hex')])
        expect(text).not.toContain(spelling)
  })

  test('that is replaced is used beside the new one until the next', async () => {
    const { at, id, secret } = await registered()
    const next = newSecret()
    await Promise.all(open.map(adapter => adapter.close()))
    open = []
    await serve({ name: (await operator(at)).body.name, secrets: [next] })
    expect((await patch(at, {}, await ifMatch(at))).status).toBe(422) // it knows the old one no more
    expect((await patch(at, { secret: next }, await ifMatch(at))).body).toMatchObject({ secret: '***' })
    expect(secret).not.toBe(next)
    expect((await patch(at, {}, await ifMatch(at))).status).toBe(200)
    expect(await eventsOf(id)).toEqual(['adapter_registered', 'adapter_changed', 'adapter_changed'])
  })
})

describe('a change', () => {
  test('of the address asks there what is held now', async () => {
    const { at, name, secret } = await registered()
    const elsewhere = await serve({ name, secrets: secret }, { category: 'usage' })
    const { status, headers, body } = await patch(at, { baseUrl: elsewhere }, await ifMatch(at))
    expect([status, headers.get('etag'), body.baseUrl, body.manifest.datasets[0].category]).toEqual([
      200,
      '"v2"',
      elsewhere,
      'usage',
    ])
  })

  test('to an adapter of another name, or that claims too much, is refused, and all stays', async () => {
    const { at, name, secret, answer, id } = await registered()
    const other = await serve({ name: `notes${++names}`, secrets: secret })
    const greedy = await serve({ name, secrets: secret }, { category: 'horoscopes' })
    for (const baseUrl of [other, greedy])
      expect(refusal(await patch(at, { baseUrl }, await ifMatch(at)))).toEqual([422, 'manifest_refused'])
    expect((await operator(at)).body).toEqual(answer.body)
    expect(await eventsOf(id)).toEqual(['adapter_registered'])
    expect((await patch(at, { name: 'another' }, await ifMatch(at))).status).toBe(400)
  })

  test('takes the version that was read', async () => {
    const { at } = await registered()
    expect(refusal(await patch(at, { title: 'x' }, {}))).toEqual([428, 'precondition_required'])
    expect(refusal(await patch(at, { title: 'x' }, { 'if-match': '"v7"' }))).toEqual([412, 'stale'])
    expect(refusal(await operator(at, { method: 'DELETE' }))).toEqual([428, 'precondition_required'])
  })
})

describe('traffic to an adapter', () => {
  test('is stopped and let go on by those who answer for it, on the record', async () => {
    const { at, id } = await registered()
    expect((await officer(`${at}/suspension`, { method: 'POST' })).body.state).toBe('suspended')
    expect((await operator('/v1/adapters')).body.adapters).toContainEqual(expect.objectContaining({ id, state: 'suspended' }))
    expect((await operator(`${at}/suspension`, { method: 'DELETE' })).body.state).toBe('trial')
    for (const call of [as.service(), as.agent(['agent']), as.person('u-1', 'a@example.org')])
      expect((await call(`${at}/suspension`, { method: 'POST' })).status).toBe(403)
    expect(await eventsOf(id)).toEqual(['adapter_registered', 'adapter_suspended', 'adapter_resumed'])
  })
})

describe('an adapter leaves the register', () => {
  const remove = async (at: string) => operator(at, { method: 'DELETE', headers: await ifMatch(at) })

  test('and is gone, and its name is free again', async () => {
    const { at, id, name } = await registered()
    expect((await remove(at)).status).toBe(204)
    expect(refusal(await operator(at))).toEqual([404, 'not_found'])
    expect((await operator('/v1/adapters')).body.adapters.map((one: { id: string }) => one.id)).not.toContain(id)
    expect(await eventsOf(id)).toEqual(['adapter_registered', 'adapter_removed'])
    await Promise.all(open.map(adapter => adapter.close()))
    open = []
    expect((await registered({ name })).id).not.toBe(id)
  })

  test('F37 but not while a request waits for its answer, nor while one is about to', async () => {
    const { at } = await registered({ resolve: () => undefined })
    await letIn(service)
    const opened = await as.anybody('/v1/requests', {
      body: { type: 'access', subject: { identities: [{ type: 'email', value: 'waits@example.org' }] } },
    })
    // whoever asks has read the register and is kept from writing the task; the adapter must not leave in between
    const held = await holdingUntilReleased(service, 'LOCK TABLE task IN SHARE MODE')
    const asking = service.app.handlers['ask-who']({ requestId: opened.body.id })
    await held.waiting(1)
    const removing = remove(at)
    await held.waiting(2)
    await held.release()
    await asking
    expect(refusal(await removing)).toEqual([409, 'in_use'])
    expect(refusal(await remove(at))).toEqual([409, 'in_use'])
    expect((await operator(at)).body.state).toBe('live')
  })
})
