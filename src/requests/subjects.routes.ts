import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Tx } from '../platform/database.ts'
import { together } from '../platform/together.ts'
import { checkIdentities } from './check-identities.ts'
import type { Identity, IdentityDeps } from './identities.store.ts'
import { marksOf } from './marks.store.ts'
import { IdentitySchema } from './request-bodies.ts'
import { StandingView, standingOf } from './standing.ts'

export interface SubjectRoutesDeps extends IdentityDeps {
  read: Tx
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
}

/** What every service asks before it uses somebody's data. */
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
                examples: [{ subjects: [{ ...NOTHING, objectedTo: ['marketing'], suppressed: true }] }],
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
  }
