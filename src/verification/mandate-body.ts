import { Type } from 'typebox'
import { EVIDENCE, type Evidence, MANDATE_REFUSALS, MANDATE_REVOCATIONS } from '../domain/representation.ts'
import { RightSchema } from '../requests/request-view.ts'

const closed = { additionalProperties: false } as const
export const DayText = Type.String({ format: 'date' })
export const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' })
export const EvidenceSchema = Type.Enum(Object.values(EVIDENCE).flat() as Evidence[])

export const SEEN = {
  evidence: 'power_of_attorney',
  documentSha256: 'b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c',
  seenOn: '2026-11-20',
  validUntil: '2027-11-19',
  covers: ['access'],
} as const

export const MandateBody = Type.Object(
  {
    evidence: { ...EvidenceSchema, description: 'What the document is.' },
    documentSha256: { ...Sha256, description: 'Of the document that was seen. It is sent nowhere and kept nowhere.' },
    seenOn: DayText,
    validUntil: Type.Optional(DayText),
    covers: Type.Optional(Type.Array(RightSchema, { minItems: 1, uniqueItems: true, description: 'Every right if left out.' })),
    reference: Type.String({
      minLength: 1,
      maxLength: 200,
      description: 'Of the file in which the document, or the court’s decision, lies.',
    }),
    deliverToRequester: Type.Optional(
      Type.Boolean({ description: 'It says so. Then the person can allow it when they confirm; else the answer goes to them.' }),
    ),
    childBornOn: Type.Optional({ ...DayText, description: 'For parents and guardians. Only what follows from the age is kept.' }),
    diedOn: Type.Optional({ ...DayText, description: 'For heirs. Only that it is not too long ago is looked at.' }),
  },
  { ...closed, examples: [{ ...SEEN, reference: 'ZD-5531' }] },
)

export const RevocationBody = Type.Object(
  { reason: Type.Enum([...MANDATE_REVOCATIONS]) },
  { ...closed, examples: [{ reason: 'taken_back' }] },
)

export const RefusalBody = Type.Object(
  { reason: Type.Enum([...MANDATE_REFUSALS]) },
  { ...closed, examples: [{ reason: 'not_legible' }] },
)
