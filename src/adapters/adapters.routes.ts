import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { act, actAfter } from '../auth/act.ts'
import { requireMatch } from '../auth/require-match.ts'
import type { Database } from '../platform/database.ts'
import { etagOf } from '../platform/etag.ts'
import type { StoredAnswer } from '../platform/idempotency.ts'
import { ADAPTER_STATES, type Adapter, type AdapterChange, adaptersIn, getAdapter, secretsOf } from './adapters.store.ts'
import { Manifest } from './protocol.ts'
import {
  askForManifest,
  changeAdapter,
  newSecret,
  type RegistryDeps,
  registerAdapter,
  removeAdapter,
  setSuspended,
} from './register-adapter.ts'

export interface AdapterRoutesDeps extends RegistryDeps, Database {}

const closed = { additionalProperties: false } as const
const Params = Type.Object({ id: Type.String({ format: 'uuid' }) })
const Secret = Type.String({
  pattern: '^whsec_[A-Za-z0-9+/]{32,88}={0,2}$',
  description: 'Standard Webhooks. Can be written, never read back.',
})
const BaseUrl = Type.String({ format: 'uri', maxLength: 500 })
const Title = Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\u0000-\\u001f\\u007f]+$' })

const ADAPTER_EXAMPLE = {
  id: '019af0c1-0000-7c3a-9b54-2f60c1a7e8d4',
  name: 'billing',
  title: 'Billing',
  baseUrl: 'https://billing.internal.example/dsar',
  state: 'active',
  secret: '***',
  manifest: {
    protocol: 'dsar-adapter/1',
    name: 'billing',
    actions: ['locate', 'collect'],
    identityTypes: [{ type: 'user_id' }],
    limits: { concurrency: 8, perMinute: 600, batch: 1 },
    eraseAfter: [],
    cancellable: false,
    datasets: [
      {
        name: 'invoices',
        title: 'Invoices',
        category: 'billing',
        origin: 'provided',
        purposes: ['billing'],
        legalBases: ['contract', 'legal_obligation'],
        retention: 'financial_records',
        fields: [{ name: 'amount', type: 'number', title: 'Amount' }],
        sensitive: false,
        recipients: ['Stripe'],
        containsThirdParties: false,
      },
    ],
  },
  createdAt: '2026-11-01T08:00:00.000Z',
  changedAt: '2026-11-01T08:00:00.000Z',
}

const AdapterView = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    name: Type.String(),
    title: Type.String(),
    baseUrl: Type.String(),
    state: Type.Enum([...ADAPTER_STATES]),
    secret: Type.String({
      description: '`***`, but for the answer to a registration in which the service made the secret: there it is shown once.',
    }),
    manifest: Manifest,
    createdAt: Type.String({ format: 'date-time' }),
    changedAt: Type.String({ format: 'date-time' }),
  },
  { title: 'Adapter', examples: [ADAPTER_EXAMPLE] },
)

const view = ({ concurrency: _, perMinute: __, version: ___, ...adapter }: Adapter, secret = '***') => ({
  ...adapter,
  secret,
  createdAt: adapter.createdAt.toISOString(),
  changedAt: adapter.changedAt.toISOString(),
})
const answer = (status: number, adapter: Adapter, secret?: string): StoredAnswer => ({
  status,
  headers: { location: `/v1/adapters/${adapter.id}`, etag: etagOf(adapter.version) },
  body: view(adapter, secret),
})

const READERS = { service: 'adapters:read', support_agent: ['agent', 'privacy_officer', 'dpo', 'operator'] } as const
const WRITERS = { service: 'adapters:write', support_agent: ['operator'] } as const
const common = { tags: ['adapters'], params: Params }
const conditional = ['not_found', 'stale', 'precondition_required', 'key_reused', 'in_progress'] as const

/** The register of every service that holds personal data. */
export const adapterRoutes =
  (deps: AdapterRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.post(
      '/adapters',
      {
        config: {
          allow: WRITERS,
          problems: ['address_refused', 'manifest_refused', 'already_exists', 'key_reused', 'in_progress'],
        },
        schema: {
          operationId: 'registerAdapter',
          tags: ['adapters'],
          summary: 'Register a service adapter',
          description:
            'Asks it for its manifest, which has to speak the privacy policy’s language. Without a `secret`, one is made and shown once.',
          body: Type.Object(
            { baseUrl: BaseUrl, title: Type.Optional(Title), secret: Type.Optional(Secret) },
            { ...closed, examples: [{ baseUrl: 'https://billing.internal.example/dsar', title: 'Billing' }] },
          ),
          response: { 201: AdapterView },
        },
      },
      (req, reply) => {
        const { baseUrl, title, secret = newSecret() } = req.body
        return actAfter(
          deps,
          req,
          reply,
          () => askForManifest(deps, baseUrl, [secret]),
          async (tx, manifest) => {
            const given = { ...(title && { title }), baseUrl, secrets: [secret], manifest }
            const adapter = await registerAdapter(deps, tx, given, req.caller)
            return answer(201, adapter, req.body.secret ? undefined : secret)
          },
        )
      },
    )

    api.get(
      '/adapters',
      {
        config: { allow: READERS },
        schema: {
          operationId: 'listAdapters',
          tags: ['adapters'],
          summary: 'Every registered adapter, by name',
          response: { 200: Type.Object({ adapters: Type.Array(AdapterView) }, { examples: [{ adapters: [ADAPTER_EXAMPLE] }] }) },
        },
      },
      async () => ({ adapters: (await adaptersIn(deps.read)).map(adapter => view(adapter)) }),
    )

    api.get(
      '/adapters/:id',
      {
        config: { allow: READERS, problems: ['not_found'] },
        schema: { ...common, operationId: 'getAdapter', summary: 'Read an adapter', response: { 200: AdapterView } },
      },
      async (req, reply) => {
        const adapter = await getAdapter(deps.read, req.params.id)
        return reply.header('etag', etagOf(adapter.version)).send(view(adapter))
      },
    )

    api.patch(
      '/adapters/:id',
      {
        config: { allow: WRITERS, problems: [...conditional, 'address_refused', 'manifest_refused'] },
        schema: {
          ...common,
          operationId: 'changeAdapter',
          summary: 'Change an adapter, or read its manifest anew',
          description:
            'A new `secret` is used beside the old one until the next change of it. An empty change asks for the manifest again.',
          body: Type.Object(
            { baseUrl: Type.Optional(BaseUrl), title: Type.Optional(Title), secret: Type.Optional(Secret) },
            { ...closed, examples: [{ title: 'Billing (EU)' }] },
          ),
          response: { 200: AdapterView },
        },
      },
      (req, reply) =>
        actAfter(
          deps,
          req,
          reply,
          () => askForChange(deps, req.params.id, req.body),
          async (tx, change) => {
            const adapter = await getAdapter(tx, req.params.id, { lock: true })
            requireMatch(req, adapter.version)
            return answer(200, await changeAdapter(deps, tx, adapter, change, req.caller))
          },
        ),
    )

    for (const [method, suspended, operationId, summary] of [
      ['post', true, 'suspendAdapter', 'Stop all traffic to an adapter'],
      ['delete', false, 'resumeAdapter', 'Let the traffic to an adapter go on'],
    ] as const)
      api[method](
        '/adapters/:id/suspension',
        {
          config: {
            allow: { support_agent: ['operator', 'privacy_officer', 'dpo'] },
            problems: ['not_found', 'key_reused', 'in_progress'],
          },
          schema: { ...common, operationId, summary, response: { 200: AdapterView } },
        },
        (req, reply) =>
          act(deps, req, reply, async tx => {
            const adapter = await getAdapter(tx, req.params.id, { lock: true })
            return answer(200, await setSuspended(deps, tx, adapter, suspended, req.caller))
          }),
      )

    api.delete(
      '/adapters/:id',
      {
        config: { allow: WRITERS, problems: [...conditional, 'in_use'] },
        schema: {
          ...common,
          operationId: 'removeAdapter',
          summary: 'Take an adapter out of the register',
          response: { 204: Type.Null() },
        },
      },
      (req, reply) =>
        act(deps, req, reply, async tx => {
          const adapter = await getAdapter(tx, req.params.id, { lock: true })
          requireMatch(req, adapter.version)
          await removeAdapter(deps, tx, adapter, req.caller)
          return { status: 204, headers: {}, body: null }
        }),
    )
  }

/** A change with the manifest that comes with it: whatever changes, the adapter is asked anew what it holds. */
async function askForChange(
  deps: AdapterRoutesDeps,
  id: string,
  { secret, ...named }: Pick<AdapterChange, 'title' | 'baseUrl'> & { secret?: string },
): Promise<AdapterChange> {
  const current = await getAdapter(deps.read, id)
  const known = await secretsOf(deps, deps.read, id)
  const secrets = secret && secret !== known[0] ? [secret, ...known].slice(0, 2) : known
  const manifest = await askForManifest(deps, named.baseUrl ?? current.baseUrl, secrets)
  return { manifest, ...named, ...(secret && { secrets }) }
}
