import Type from 'typebox'
import { RIGHTS, type Right } from '../domain/rights.ts'
import { table } from './table.ts'

const closed = { additionalProperties: false } as const
const Level = Type.Integer({ minimum: 0, maximum: 4 })
const Minutes = Type.Integer({ minimum: 1 })

/** How well a person has to be known for what they ask, and what each way of showing who they are is worth (Art. 12(6), 25, 32). */
export const AssuranceSchema = Type.Object(
  {
    methods: Type.Object(
      {
        /** The link in an advertisement: it was sent to one address alone. */
        signed_link: Type.Object({ level: Level }, closed),
        email_code: Type.Object({ level: Level, freshMinutes: Minutes }, closed),
        portal_login: Type.Object({ level: Level, withSecondFactor: Level, freshMinutes: Minutes }, closed),
        /** What a service vouches for is never worth more than this, whatever it says. */
        service_assertion: Type.Object({ atMost: Level, freshMinutes: Minutes }, closed),
        /** Two support agents, by so many of these kinds of facts that only the person would know; the second within that time. */
        support_check: Type.Object(
          {
            level: Level,
            freshMinutes: Minutes,
            facts: Type.Array(Type.String({ pattern: '^[a-z][a-z0-9_]{0,39}$' }), { minItems: 2, uniqueItems: true }),
            atLeast: Type.Integer({ minimum: 2 }),
          },
          closed,
        ),
        /** A power to act for the person that two people have looked at, where the person themself need not prove anything. */
        mandate: Type.Object({ level: Level }, closed),
      },
      closed,
    ),
    /**
     * After somebody said that a request was not theirs: so long, and so well, for these rights (Art. 12(6), 32). They are those that could
     * harm a person most, and are for two officers to grant in a case about a VIP or a colleague.
     */
    freeze: Type.Object(
      {
        days: Type.Integer({ minimum: 1, maximum: 30 }),
        level: Level,
        rights: Type.Array(Type.Enum(Object.keys(RIGHTS) as Right[]), { uniqueItems: true }),
      },
      closed,
    ),
    needed: table(
      Object.keys(RIGHTS) as Right[],
      Type.Object(
        {
          level: Level,
          /** Where special categories of data or criminal matters are in scope (Art. 9, 10). */
          sensitive: Type.Optional(Level),
          /** A login has to be as fresh as that for this right, if that is less than for others. */
          loginMinutes: Type.Optional(Minutes),
        },
        closed,
      ),
    ),
  },
  closed,
)
