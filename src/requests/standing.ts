import { type Static, Type } from 'typebox'
import type { Mark, MarkKind } from './marks.store.ts'

const closed = { additionalProperties: false } as const

/** What a service has to know of a person before it uses their data. Of somebody unknown everything is false or empty. */
export const StandingView = Type.Object(
  {
    restricted: Type.Boolean({ description: 'Art. 18: keep their data and do nothing else with them.' }),
    objectedTo: Type.Array(Type.String(), { description: 'Art. 21: the purposes for which their data must not be used.' }),
    consentWithdrawn: Type.Object(
      { purposes: Type.Array(Type.String()), cookies: Type.Array(Type.String()) },
      { ...closed, description: 'Art. 7(3): what they have taken their consent back for.' },
    ),
    suppressed: Type.Boolean({
      description:
        'Send them no marketing: they objected to it (Art. 21(3)), or they were erased and must not be addressed anew.',
    }),
    erased: Type.Boolean({ description: 'Art. 17: their data were erased. What is still there was overlooked, or came later.' }),
  },
  closed,
)
type Standing = Static<typeof StandingView>

const COOKIE = 'cookie:'

export function standingOf(marks: readonly Mark[]): Standing {
  const of = (kind: MarkKind) => marks.filter(mark => mark.kind === kind).map(mark => mark.of)
  const objectedTo = of('objected')
  const withdrawn = of('consent_withdrawn')
  const erased = of('erased').length > 0
  return {
    restricted: of('restricted').length > 0,
    objectedTo,
    consentWithdrawn: {
      purposes: withdrawn.filter(one => !one.startsWith(COOKIE)),
      cookies: withdrawn.filter(one => one.startsWith(COOKIE)).map(one => one.slice(COOKIE.length)),
    },
    suppressed: erased || objectedTo.includes('marketing'),
    erased,
  }
}
