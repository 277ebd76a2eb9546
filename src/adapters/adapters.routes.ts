import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { act, actAfter } from '../auth/act.ts'
import { requireMatch } from '../auth/require-match.ts'
import type { Database } from '../platform/database.ts'
import { etagOf } from '../platform/etag.ts'
import type { StoredAnswer } from '../platform/idempotency.ts'
import { ADAPTER_EXAMPLE, AdapterView, viewAdapter } from './adapter-view.ts'
import { type Adapter, type AdapterChange, adaptersIn, type ContactOf, getAdapter } from './adapters.store.ts'
import type { Contact } from './fetch-manifest.ts'
import { ADAPTER_KINDS, type AdapterKind } from './kinds.ts'
import { askForManifest, changeAdapter, type RegistryDeps, registerAdapter, removeAdapter } from './register-adapter.ts'
import { newSecret, Secret } from './secret.ts'
import type { JsonObject } from './strict-json.ts'

export interface AdapterRoutesDeps extends RegistryDeps, Database {
  contactOf: ContactOf
}

const closed = { additionalProperties: false } as const
const Params = Type.Object({ id: Type.String({ format: 'uuid' }) })
const BaseUrl = Type.String({ format: 'uri', maxLength: 500 })
const Owner = Type.String({
  format: 'email',
  maxLength: 254,
  description: 'Of the team that looks after it: told when it is about to be late.',
})
const Contacting = {
  secret: Type.Optional(Secret),
  credentials: Type.Optional(
    Type.Record(Type.String({ pattern: '^[a-z][a-zA-Z]{0,39}$' }), Type.String({ minLength: 1, maxLength: 4000 }), {
      maxProperties: 10,
      description: 'With which the service shows at its door who it is. Can be written, never read back.',
    }),
  ),
  settings: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      description: 'What else its kind has to know. Nothing secret: it can be read.',
    }),
  ),
}
const Title = Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\u0000-\\u001f\\u007f]+$' })

const answer = (status: number, adapter: Adapter, secret?: string): StoredAnswer => ({
  status,
  headers: { location: `/v1/adapters/${adapter.id}`, etag: etagOf(adapter.version) },
  body: viewAdapter(adapter, secret),
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
          sends: ['Location', 'ETag'],
        },
        schema: {
          operationId: 'registerAdapter',
          tags: ['adapters'],
          summary: 'Register a service adapter',
          description:
            'Asks it for its manifest, which has to speak the privacy policy’s language. Without a `secret`, one is made and shown once.',
          body: Type.Object(
            {
              kind: Type.Optional(Type.Enum([...ADAPTER_KINDS], { default: 'service' })),
              baseUrl: Type.Optional(BaseUrl),
              title: Type.Optional(Title),
              owner: Type.Optional(Owner),
              ...Contacting,
            },
            { ...closed, examples: [{ baseUrl: 'https://billing.internal.example/dsar', title: 'Billing' }] },
          ),
          response: { 201: AdapterView },
        },
      },
      (req, reply) => {
        const { title, owner, secret = newSecret() } = req.body
        const contact = contactIn(req.body, secret)
        return actAfter(
          deps,
          req,
          reply,
          () => askForManifest(deps, contact),
          async (tx, manifest) => {
            const given = { ...contact, ...(title && { title }), ...(owner && { owner }), manifest }
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
          description: 'Each with its manifest as it was last read, and whether it is suspended.',
          response: {
            200: Type.Object(
              { adapters: Type.Array(AdapterView) },
              { description: 'All of them.', examples: [{ adapters: [ADAPTER_EXAMPLE] }] },
            ),
          },
        },
      },
      async () => ({ adapters: (await adaptersIn(deps.read, 'registered')).map(adapter => viewAdapter(adapter)) }),
    )

    api.get(
      '/adapters/:id',
      {
        config: { allow: READERS, problems: ['not_found'], sends: ['ETag'] },
        schema: {
          ...common,
          operationId: 'getAdapter',
          summary: 'Read an adapter',
          description: 'Its address, its manifest as it was last read, and its ETag, with which it can be changed.',
          response: { 200: AdapterView },
        },
      },
      async (req, reply) => {
        const adapter = await getAdapter(deps.read, req.params.id)
        return reply.header('etag', etagOf(adapter.version)).send(viewAdapter(adapter))
      },
    )

    api.patch(
      '/adapters/:id',
      {
        config: {
          allow: WRITERS,
          problems: [...conditional, 'address_refused', 'manifest_refused'],
          sends: ['Location', 'ETag'],
        },
        schema: {
          ...common,
          operationId: 'changeAdapter',
          summary: 'Change an adapter, or read its manifest anew',
          description:
            'A new `secret` is used beside the old one until the next change of it. An empty change asks for the manifest again.',
          body: Type.Object(
            { baseUrl: Type.Optional(BaseUrl), title: Type.Optional(Title), owner: Type.Optional(Owner), ...Contacting },
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

    api.delete(
      '/adapters/:id',
      {
        config: { allow: WRITERS, problems: [...conditional, 'in_use'] },
        schema: {
          ...common,
          operationId: 'removeAdapter',
          summary: 'Take an adapter out of the register',
          description: 'It is asked no more. Refused while open requests depend on it.',
          response: { 204: Type.Null({ description: 'It is out of the register.' }) },
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

/** What is sent about how to ask an adapter. */
interface Given {
  kind?: AdapterKind
  baseUrl?: string
  secret?: string
  credentials?: Contact['credentials']
  settings?: JsonObject
}

function contactIn({ kind = 'service', baseUrl = '', credentials = {}, settings = {} }: Given, secret: string) {
  return { kind, baseUrl, secrets: [secret], credentials, settings }
}

/** A change with the manifest that comes with it: whatever changes, the adapter is asked anew what it holds. */
async function askForChange(
  deps: AdapterRoutesDeps,
  id: string,
  { secret, ...named }: Pick<AdapterChange, 'title' | 'owner' | 'baseUrl' | 'credentials' | 'settings'> & { secret?: string },
): Promise<AdapterChange> {
  const current = await deps.contactOf(id)
  const { credentials } = current
  const secrets = secret && secret !== current.secrets[0] ? [secret, ...current.secrets].slice(0, 2) : current.secrets
  const manifest = await askForManifest(deps, { ...current, ...named, secrets })
  return { manifest, ...((secret || named.credentials) && { secrets, credentials }), ...named }
}
