import { type Static, Type } from 'typebox'
import type { Assertion } from '../auth/assurance.ts'
import { Problem } from '../domain/problem.ts'
import { RELATIONSHIPS } from '../domain/request.ts'
import { CANCEL_REASONS } from './close-request.ts'
import { DetailsSchema } from './details.ts'
import { Country, Region } from './place.ts'
import { Instant, RightSchema } from './request-view.ts'

const closed = { additionalProperties: false } as const

export const IdentitySchema = Type.Object(
  {
    type: Type.String({ pattern: '^[a-z][a-z0-9_]{0,39}$', examples: ['email', 'user_id'] }),
    value: Type.String({ minLength: 1, maxLength: 320 }),
  },
  closed,
)

export const AssertionSchema = Type.Object(
  {
    method: Type.String({
      pattern: '^[a-z][a-z0-9_]{0,39}$',
      description: 'How the service verified the person, e.g. `portal_login`.',
    }),
    level: Type.Integer({ minimum: 1, maximum: 4 }),
    verifiedAt: Instant,
  },
  { ...closed, description: 'What a service vouches for. Only services can send it.' },
)

/** @throws Problem `unprocessable` for a moment that no calendar has, such as a leap second */
export function instantOf(text: string, pointer: string): Date {
  const instant = new Date(text)
  if (Number.isNaN(instant.getTime()))
    throw new Problem('unprocessable', undefined, { errors: [{ pointer, detail: 'There is no such moment.' }] })
  return instant
}

export const assertionOf = ({ verifiedAt, ...assertion }: Static<typeof AssertionSchema>): Assertion => ({
  ...assertion,
  verifiedAt: instantOf(verifiedAt, '/assurance/verifiedAt'),
})

export const OpenRequestBody = Type.Object(
  {
    type: RightSchema,
    subject: Type.Object(
      {
        identities: Type.Optional(Type.Array(IdentitySchema, { minItems: 1, maxItems: 10 })),
        name: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
        country: Type.Optional(Country),
        region: Type.Optional(Region),
        timeZone: Type.Optional(
          Type.String({
            maxLength: 64,
            description: 'IANA name. Days are counted where it is the earlier one, there or at the controller.',
          }),
        ),
        locale: Type.Optional(Type.String({ pattern: '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$', maxLength: 35 })),
      },
      closed,
    ),
    requester: Type.Optional(
      Type.Object(
        {
          relationship: Type.Enum([...RELATIONSHIPS]),
          name: Type.Optional(
            Type.String({
              minLength: 1,
              maxLength: 200,
              pattern: '^[^\\u0000-\\u001f]+$',
              description: 'Of whoever acts for the person, who is asked or told.',
            }),
          ),
          email: Type.Optional(
            Type.String({
              maxLength: 254,
              description: 'Of whoever acts for the person. From the portal, that of their login unless given.',
            }),
          ),
        },
        closed,
      ),
    ),
    receivedAt: Type.Optional({
      ...Instant,
      description: 'When it reached the controller, if before now. The clock runs from here.',
    }),
    channel: Type.Optional(Type.String({ pattern: '^[a-z][a-z0-9_]{0,39}$' })),
    reference: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: 'Of the letter, mail or ticket that is the evidence.' }),
    ),
    scope: Type.Optional(
      Type.Object(
        {
          categories: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: 50, uniqueItems: true })),
        },
        closed,
      ),
    ),
    details: Type.Optional(DetailsSchema),
    assurance: Type.Optional(AssertionSchema),
  },
  {
    ...closed,
    examples: [
      {
        type: 'access',
        subject: { identities: [{ type: 'email', value: 'ana@example.org' }], country: 'DE', locale: 'en' },
        requester: { relationship: 'self' },
        channel: 'support_ticket',
        reference: 'ZD-5531',
      },
    ],
  },
)
export type OpenRequestBody = Static<typeof OpenRequestBody>

export const CancellationBody = Type.Object(
  { reason: Type.Enum([...CANCEL_REASONS]) },
  { ...closed, examples: [{ reason: 'opened_by_mistake' }] },
)
