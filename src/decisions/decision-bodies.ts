import { type Static, type TSchema, Type } from 'typebox'
import { DECISIONS, FEE_GROUNDS } from '../domain/decision.ts'
import { dpvIri } from '../domain/dpv.ts'
import { ABUSE_FACTORS, type AbuseFactor } from '../domain/excess.ts'
import { GROUNDS, REFUSAL_GROUNDS } from '../domain/refusal.ts'
import type { StoredDecision } from '../requests/decisions.store.ts'
import { Instant } from '../requests/request-view.ts'

const closed = { additionalProperties: false } as const
/** Something said: neither empty nor blank. */
export const Said = (maxLength: number, description: string) => Type.String({ maxLength, pattern: '\\S', description })
const Names = Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { minItems: 1, maxItems: 100, uniqueItems: true })

const Abuse = Type.Object(
  {
    kind: Type.Literal('abuse'),
    objective: Said(4000, 'That the purpose of the right is not pursued.'),
    subjective: Said(4000, 'The intention to gain an advantage that the right does not exist for.'),
    factors: Type.Object(
      Object.fromEntries(ABUSE_FACTORS.map(factor => [factor, Said(4000, 'Of CJEU C-526/24.')])) as Record<
        AbuseFactor,
        ReturnType<typeof Said>
      >,
      closed,
    ),
  },
  closed,
)
const Repetition = Type.Object(
  {
    kind: Type.Literal('repetition'),
    earlier: Type.Array(Type.String({ format: 'uuid' }), { minItems: 1, maxItems: 100, uniqueItems: true }),
  },
  closed,
)

const Evidence = Type.Union([Abuse, Repetition], {
  description:
    'What shows that the request is manifestly unfounded or excessive (GDPR Art. 12(5)); needed for these grounds alone.',
})
const Parts = Type.Object(
  {
    categories: Type.Optional(Names),
    datasets: Type.Optional(
      Type.Array(Type.Object({ adapter: Type.String({ maxLength: 200 }), dataset: Type.String({ maxLength: 200 }) }, closed), {
        minItems: 1,
        maxItems: 100,
      }),
    ),
    purposes: Type.Optional(Names),
  },
  { ...closed, minProperties: 1, description: 'What is refused; the rest is carried out.' },
)

const reasoned = {
  reasons: Said(8000, 'To the person, in a language they understand; it goes into the letter. Kept sealed.'),
  evidence: Type.Optional(Evidence),
}
const refusal = {
  ground: Type.Enum([...GROUNDS]),
  ...reasoned,
  citation: Type.Optional(Said(500, 'The provision of national law relied upon.')),
}

export const DecisionBody = Type.Union(
  [
    Type.Object({ kind: Type.Literal('approve') }, closed),
    Type.Object({ kind: Type.Literal('refuse'), ...refusal }, closed),
    Type.Object({ kind: Type.Literal('refuse_partly'), ...refusal, parts: Parts }, closed),
    Type.Object(
      {
        kind: Type.Literal('fee_notice'),
        ground: Type.Enum([...FEE_GROUNDS]),
        ...reasoned,
        amount: Type.Unsafe<`${number}`>(Type.String({ pattern: '^(?!0+(\\.0+)?$)(0|[1-9][0-9]{0,5})(\\.[0-9]{1,2})?$' })),
        currency: Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217.' }),
      },
      closed,
    ),
  ],
  {
    examples: [
      {
        kind: 'refuse_partly',
        ground: 'rights_of_others',
        reasons: 'These messages are about other learners, who have not agreed.',
        parts: { categories: ['support'] },
      },
    ],
  },
)

const Nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()])
const Text = Type.String()

export const DECISION_EXAMPLE = {
  id: '01939f6e-5c1b-7cc2-9d2e-7d8a3c4b5a69',
  kind: 'refuse_partly',
  state: 'effective',
  ground: 'rights_of_others',
  law: 'GDPR Art. 15(4) and 20(4)',
  dpv: 'https://w3id.org/dpv/justifications#ThirdPartyRightsImpaired',
  citation: null,
  reasons: 'These messages are about other learners, who have not agreed.',
  parts: { categories: ['support'] },
  fee: null,
  remedies: {
    complaint: {
      law: 'GDPR Art. 77',
      authority: 'The data protection authority of your country',
      url: 'https://www.edpb.europa.eu',
    },
    judicial: { law: 'GDPR Art. 79' },
  },
  policyVersion: '2025-01-18',
  decidedAt: '2026-11-24T09:12:00.000Z',
  approvedAt: null,
}

export const DecisionView = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    kind: Type.Enum([...DECISIONS]),
    state: Type.Enum(['proposed', 'effective', 'superseded']),
    ground: Nullable(Type.Enum([...GROUNDS])),
    law: Nullable(Text),
    dpv: Nullable(Type.String({ format: 'uri', description: 'The ground in the W3C Data Privacy Vocabulary 2.3.' })),
    citation: Nullable(Text),
    reasons: Nullable(Text),
    parts: Nullable(Parts),
    fee: Nullable(Type.Object({ amount: Text, currency: Text })),
    remedies: Nullable(
      Type.Object({
        complaint: Type.Object({ law: Text, authority: Text, url: Type.String({ format: 'uri' }) }),
        judicial: Type.Object({ law: Text }),
      }),
    ),
    policyVersion: Text,
    decidedAt: Instant,
    approvedAt: Nullable(Instant),
    decidedBy: Type.Optional(Text),
    approvedBy: Type.Optional(Nullable(Text)),
    evidence: Type.Optional(Nullable(Evidence)),
  },
  {
    title: 'Decision',
    description: 'A decision. Who took it is for the staff; on what evidence, for the officers.',
    examples: [DECISION_EXAMPLE],
  },
)
export type DecisionView = Static<typeof DecisionView>

/** `agent` is somebody of the staff who works blind. */
export type DecisionReader = 'officer' | 'agent' | 'person' | 'service'

/**
 * A decision as its reader may see it: the reasons are for the person and the officers, how it came about for the staff, and on
 * what evidence for the officers alone.
 */
export function viewDecision(decision: StoredDecision, reader: DecisionReader): DecisionView {
  const { requestId: _, decidedBy, approvedBy, evidence, decidedAt, approvedAt, reasons, ground, ...open } = decision
  const { law = null, dpv = null } = ground ? REFUSAL_GROUNDS[ground] : {}
  return {
    ...open,
    ground,
    law,
    dpv: dpv && dpvIri(dpv),
    reasons: reader === 'service' || reader === 'agent' ? null : reasons,
    decidedAt: decidedAt.toISOString(),
    approvedAt: approvedAt?.toISOString() ?? null,
    ...((reader === 'officer' || reader === 'agent') && { decidedBy, approvedBy }),
    ...(reader === 'officer' && { evidence }),
  }
}
