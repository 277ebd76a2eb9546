import { type Static, Type } from 'typebox'
import type { Mark, MarkKind } from './marks.store.ts'

const closed = { additionalProperties: false } as const

const MarkView = Type.Object(
  {
    kind: Type.Enum(['restricted', 'objected', 'consent_withdrawn', 'erased'] satisfies MarkKind[]),
    purpose: Type.Optional(Type.String()),
    cookie: Type.Optional(Type.String()),
    since: Type.String({
      format: 'date-time',
      description:
        'When it came into force, the last time where more than once. What came before, such as a consent, counts no more.',
    }),
  },
  closed,
)

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
        'Send them no marketing: they objected to it (Art. 21(3)), or they were erased and must not be addressed anew; unless they consented to it since.',
    }),
    erased: Type.Boolean({
      description: 'Art. 17: their data were erased. What is still there was overlooked, or came later than `since` says.',
    }),
    marks: Type.Array(MarkView, { description: 'The same, one by one, with its time.' }),
  },
  closed,
)
type Standing = Static<typeof StandingView>

const COOKIE = 'cookie:'

/** Says what is in force. What somebody said no to and later yes is not, though both stay known. */
export function standingOf(all: readonly Mark[]): Standing {
  const consents = new Map(all.filter(({ kind }) => kind === 'consented').map(({ of, since }) => [of, since]))
  const isSince = (of: string, { since }: Mark): boolean => (consents.get(of) ?? since) > since
  const marks = all.filter(mark => mark.kind !== 'consented' && !isSince(mark.of, mark))
  const of = (kind: MarkKind) => marks.filter(mark => mark.kind === kind).map(mark => mark.of)
  const objectedTo = of('objected')
  const withdrawn = of('consent_withdrawn')
  const erased = marks.filter(({ kind }) => kind === 'erased')
  return {
    restricted: of('restricted').length > 0,
    objectedTo,
    consentWithdrawn: {
      purposes: withdrawn.filter(one => !one.startsWith(COOKIE)),
      cookies: withdrawn.filter(one => one.startsWith(COOKIE)).map(one => one.slice(COOKIE.length)),
    },
    suppressed: erased.some(mark => !isSince('marketing', mark)) || objectedTo.includes('marketing'),
    erased: erased.length > 0,
    marks: marks.flatMap(({ kind, of, since }) =>
      kind === 'consented' ? [] : [{ kind, ...whatOf(of), since: since.toISOString() }],
    ),
  }
}

const whatOf = (of: string) => (of === '' ? {} : of.startsWith(COOKIE) ? { cookie: of.slice(COOKIE.length) } : { purpose: of })
