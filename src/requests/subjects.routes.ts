import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { act } from '../auth/act.ts'
import { COOKIES } from '../domain/details.ts'
import type { Transact, Tx } from '../platform/database.ts'
import { together } from '../platform/together.ts'
import type { Vault } from '../platform/vault.ts'
import { checkIdentities } from './check-identities.ts'
import type { Identity } from './identities.store.ts'
import { marksOf } from './marks.store.ts'
import { type ConsentDeps, recordConsent } from './record-consent.ts'
import { IdentitySchema, instantOf } from './request-bodies.ts'
import { StandingView, standingOf } from './standing.ts'

export interface SubjectRoutesDeps extends ConsentDeps {
  vault: Vault
  read: Tx
  transact: Transact
}

const closed = { additionalProperties: false } as const
const Identities = Type.Array(IdentitySchema, {
  minItems: 1,
  maxItems: 10,
  description: 'Of one person. What is in force for any of them is in force for the person.',
})

const LookupBody = Type.Object(
  {
    identities: Type.Optional(Identities),
    subjects: Type.Optional(
      Type.Array(Type.Object({ identities: Identities }, closed), {
        minItems: 1,
        maxItems: 100,
        description: 'Several people at once, instead of `identities`.',
      }),
    ),
  },
  {
    ...closed,
    minProperties: 1,
    maxProperties: 1,
    examples: [
      { identities: [{ type: 'email', value: 'ana@example.org' }] },
      { subjects: [{ identities: [{ type: 'user_id', value: '1042' }] }, { identities: [{ type: 'user_id', value: '1043' }] }] },
    ],
  },
)

const NOTHING = {
  restricted: false,
  objectedTo: [],
  consentWithdrawn: { purposes: [], cookies: [] },
  suppressed: false,
  erased: false,
  marks: [],
}
const MARKETING = { kind: 'objected', purpose: 'marketing', since: '2026-11-20T03:42:00.000Z' } as const

const ConsentBody = Type.Object(
  {
    identities: Identities,
    purposes: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: 20, uniqueItems: true })),
    cookies: Type.Optional(Type.Array(Type.Enum([...COOKIES]), { minItems: 1, uniqueItems: true })),
    givenAt: Type.String({
      format: 'date-time',
      description: 'When the person said so. What they said after that stays in force.',
    }),
    reference: Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9_./:-]{0,63}$',
      description: 'Of where it can be read how they said so (Art. 7(1)). It goes on the record, so it names nobody.',
    }),
  },
  {
    ...closed,
    examples: [
      {
        identities: [{ type: 'user_id', value: '1042' }],
        purposes: ['marketing'],
        givenAt: '2026-12-01T10:00:00Z',
        reference: 'consents/88213',
      },
    ],
  },
)

/** What every service asks before it uses somebody's data, and says once they may use them again. */
export const subjectRoutes =
  (deps: SubjectRoutesDeps): FastifyPluginAsyncTypebox =>
  async api => {
    // Half of what a look-up costs is its statement: calls that come at the same time share one.
    const marks = together((people: Identity[][]) => marksOf(deps, deps.read, people), { atOnce: 2, most: 500 })

    api.post(
      '/subjects/lookup',
      {
        config: {
          allow: { service: 'subjects:lookup', support_agent: ['privacy_officer', 'dpo'] },
          problems: ['unprocessable'],
          onEveryUse: true,
        },
        schema: {
          operationId: 'lookUpSubjects',
          tags: ['subjects'],
          summary: 'Ask what is in force for people, before using their data',
          description:
            'To be called on every use. Changes nothing and leaves no trace; the answer for somebody unknown looks like any other. Services are limited by a quota of its own (`RATE_EVERY_USE`).',
          body: LookupBody,
          response: {
            200: Type.Object(
              { subjects: Type.Array(StandingView) },
              {
                ...closed,
                description: 'What is in force for each, in the order in which they were asked for.',
                examples: [{ subjects: [{ ...NOTHING, objectedTo: ['marketing'], suppressed: true, marks: [MARKETING] }] }],
              },
            ),
          },
        },
      },
      async ({ body: { identities, subjects } }) => {
        const people = subjects
          ? subjects.map((subject, n) => checkIdentities(subject.identities, `/subjects/${n}/identities`))
          : [checkIdentities(identities ?? [], '/identities')]
        return { subjects: (await Promise.all(people.map(marks))).map(standingOf) }
      },
    )

    api.post(
      '/subjects/consents',
      {
        config: { allow: { service: 'subjects:consent' }, problems: ['unprocessable', 'key_reused', 'in_progress'] },
        schema: {
          operationId: 'recordConsent',
          tags: ['subjects'],
          summary: 'Say that a person has said yes again',
          description:
            'For where people set what they agree to: they gave a consent anew that they had withdrawn, or took an objection back, to direct marketing too. ' +
            'From then on look-ups say so. What they had said stays known, no adapter is told, and a right that they exercise after `givenAt` counts against it. ' +
            'Of somebody who has said no to nothing, nothing is kept.',
          body: ConsentBody,
          response: {
            200: Type.Object(
              { subject: StandingView },
              { ...closed, description: 'What is in force for the person now.', examples: [{ subject: NOTHING }] },
            ),
          },
        },
      },
      (req, reply) => {
        const { givenAt, ...given } = req.body
        const identities = checkIdentities(given.identities, '/identities')
        return act(deps, req, reply, async tx => {
          await recordConsent(deps, tx, { ...given, identities, givenAt: instantOf(givenAt, '/givenAt') }, req.caller)
          const [mine = []] = await marksOf(deps, tx, [identities])
          return { status: 200, headers: {}, body: { subject: standingOf(mine) } }
        })
      },
    )
  }
