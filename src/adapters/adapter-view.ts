import { Type } from 'typebox'
import { ADAPTER_STATES, type Adapter } from './adapters.store.ts'
import { ADAPTER_KINDS } from './kinds.ts'
import { Manifest } from './protocol.ts'

/** What an adapter looks like, for the reader of the API. */
export const ADAPTER_EXAMPLE = {
  id: '019af0c1-0000-7c3a-9b54-2f60c1a7e8d4',
  name: 'billing',
  title: 'Billing',
  kind: 'service',
  baseUrl: 'https://billing.internal.example/dsar',
  settings: {},
  owner: 'billing-team@almastack.example',
  state: 'live',
  liveSince: '2026-11-01T09:30:00.000Z',
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

export const AdapterView = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    name: Type.String(),
    title: Type.String(),
    kind: Type.Enum([...ADAPTER_KINDS]),
    baseUrl: Type.String(),
    settings: Type.Record(Type.String(), Type.Unknown()),
    owner: Type.Union([Type.String(), Type.Null()]),
    state: Type.Enum([...ADAPTER_STATES], {
      description: 'On `trial` it is asked nothing about anybody: check it, and have somebody else approve it.',
    }),
    liveSince: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
    secret: Type.String({
      description: '`***`, but for the answer to a registration in which the service made the secret: there it is shown once.',
    }),
    manifest: Manifest,
    createdAt: Type.String({ format: 'date-time' }),
    changedAt: Type.String({ format: 'date-time' }),
  },
  { title: 'Adapter', description: 'A service adapter as it is registered.', examples: [ADAPTER_EXAMPLE] },
)

/** An adapter as it is answered; its secret only where it was made just now. */
export const viewAdapter = (
  { concurrency: _, perMinute: __, version: ___, contactVersion: ____, contactBy: _____, ...adapter }: Adapter,
  secret = '***',
) => ({
  ...adapter,
  liveSince: adapter.liveSince?.toISOString() ?? null,
  secret,
  createdAt: adapter.createdAt.toISOString(),
  changedAt: adapter.changedAt.toISOString(),
})
