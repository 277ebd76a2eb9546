import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { Problem } from '../domain/problem.ts'
import { decodeCursor, encodeCursor, nextLink } from '../platform/cursor.ts'
import type { Tx } from '../platform/database.ts'
import type { PublicJwk } from '../platform/signing.ts'
import { entriesAfter } from './entries.ts'
import { EntryView, Hash, Stream, viewEntry } from './entry-view.ts'
import { type VerifyDeps, verifyAudit } from './verify.ts'

export interface AuditRoutesDeps extends VerifyDeps {
  read: Tx
  publicKeys(): PublicJwk[]
}

const OFFICERS = { support_agent: ['privacy_officer', 'dpo', 'operator'] } as const
const Head = Type.Object({ stream: Stream, seq: Type.Integer({ minimum: 1 }), hash: Hash }, { additionalProperties: false })
const Cursor = Type.Object({ stream: Type.String(), seq: Type.Integer() })
const EntryPage = Type.Object(
  { entries: Type.Array(EntryView), next: Type.Optional(Type.String()) },
  {
    description: 'A page of the record; `next` is the cursor of the page after it.',
    examples: [
      {
        entries: [
          {
            stream: 'adapters',
            seq: 1,
            at: '2026-11-01T08:00:00.000Z',
            actor: { kind: 'support_agent', id: 'https://id.almastack.example/staff|op-1' },
            event: 'adapter_registered',
            facts: { adapter: 'billing' },
            previous: '0'.repeat(64),
            hash: 'b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c',
            keyId: 'k1',
            signature: 'bm90IGEgcmVhbCBzaWduYXR1cmU=',
          },
        ],
      },
    ],
  },
)

/** The accountability record, for those who have to answer for it. */
export const auditRoutes =
  (deps: AuditRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    api.get(
      '/audit',
      {
        config: { allow: OFFICERS, sends: ['Link'] },
        schema: {
          operationId: 'listAudit',
          tags: ['audit'],
          summary: 'Read the record',
          description: 'Every entry with its hash, the hash before it and its signature, so that it can be checked elsewhere.',
          querystring: Type.Object(
            {
              stream: Type.Optional(Stream),
              cursor: Type.Optional(Type.String({ maxLength: 1000 })),
              limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 100 })),
            },
            { additionalProperties: false },
          ),
          response: { 200: EntryPage },
        },
      },
      async (req, reply) => {
        const { stream, cursor, limit = 100 } = req.query
        const after = cursor === undefined ? { stream: '', seq: 0 } : decodeCursor(Cursor, cursor)
        const found = await entriesAfter(deps.read, after, limit + 1, stream)
        const entries = found.slice(0, limit).map(viewEntry)
        const last = entries.at(-1)
        if (found.length <= limit || !last) return { entries }
        const next = encodeCursor({ stream: last.stream, seq: last.seq })
        reply.header('link', nextLink(req.url, next))
        return { entries, next }
      },
    )

    api.post(
      '/audit/verify',
      {
        config: { allow: OFFICERS, rateLimit: { max: 6, timeWindow: 60_000 }, problems: ['not_found'] },
        schema: {
          operationId: 'verifyAudit',
          tags: ['audit'],
          summary: 'Check the record for anything changed, missing or forged',
          description: 'With `heads` from an earlier check, kept outside of the database, it also finds an end that was cut off.',
          body: Type.Object(
            { stream: Type.Optional(Stream), heads: Type.Optional(Type.Array(Head, { maxItems: 10_000 })) },
            { additionalProperties: false, examples: [{}, { stream: 'adapters' }] },
          ),
          response: {
            200: Type.Object(
              {
                intact: Type.Boolean(),
                streams: Type.Integer(),
                entries: Type.Integer(),
                firstBad: Type.Optional(Type.Object({ stream: Type.String(), seq: Type.Integer(), reason: Type.String() })),
                head: Type.Optional(
                  Type.Object(
                    { stream: Type.String(), seq: Type.Integer(), hash: Hash },
                    { description: 'Of the one stream that was asked for.' },
                  ),
                ),
              },
              {
                description: 'The verdict; `firstBad` is the first entry that is not as it was written.',
                examples: [{ intact: true, streams: 12, entries: 164 }],
              },
            ),
          },
        },
      },
      async req => {
        const { stream, heads = [] } = req.body
        const ends: { stream: string; seq: number; hash: string }[] = []
        const verdict = await verifyAudit(deps, { ...(stream && { stream, onHead: end => ends.push(end) }), heads })
        if (stream && verdict.intact && verdict.streams === 0) throw new Problem('not_found')
        return { ...verdict, ...(ends[0] && { head: ends[0] }) }
      },
    )

    api.get(
      '/signing-keys',
      {
        config: { allow: { public: true }, rateLimit: { max: 120, timeWindow: 60_000 }, problems: ['too_many_requests'] },
        schema: {
          operationId: 'listSigningKeys',
          tags: ['audit'],
          summary: 'The public keys that packages and the record are signed with',
          description: 'A JWK Set (RFC 7517) of all that were ever used, so that what was signed long ago can still be checked.',
          response: {
            200: Type.Object(
              { keys: Type.Array(Type.Record(Type.String(), Type.String())) },
              {
                description: 'The keys, each by its `kid`.',
                examples: [
                  {
                    keys: [
                      {
                        kty: 'OKP',
                        crv: 'Ed25519',
                        x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
                        kid: 'k1',
                        use: 'sig',
                        alg: 'Ed25519',
                      },
                    ],
                  },
                ],
              },
            ),
          },
        },
      },
      async () => ({ keys: deps.publicKeys().map(key => ({ ...key })) }),
    )
  }
