import { type Static, type TSchema, Type } from 'typebox'
import { EXTENSION_REASONS, type ExtensionReason, PAUSE_REASONS } from '../domain/delay.ts'
import { dpvIri } from '../domain/dpv.ts'
import type { PauseReason } from '../domain/ledger.ts'
import type { StoredPause } from '../requests/clock-ledger.store.ts'
import type { Extended } from './extend.ts'

const DayText = Type.String({ format: 'date' })
const Nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()])

const EXTENSION_EXAMPLE = {
  reason: 'scattered_sources',
  dpv: dpvIri(EXTENSION_REASONS.scattered_sources),
  announcedOn: '2026-02-10',
  dueOn: '2026-02-28',
  legalDueOn: '2026-04-30',
}
export const ExtensionView = Type.Object(
  {
    reason: Type.Enum(Object.keys(EXTENSION_REASONS) as ExtensionReason[]),
    dpv: Type.String({ format: 'uri', description: 'The reason in the W3C Data Privacy Vocabulary 2.3.' }),
    announcedOn: DayText,
    dueOn: Type.String({ format: 'date', description: 'What was promised: nothing moves it.' }),
    legalDueOn: Type.String({ format: 'date', description: 'The last day that the law allows now.' }),
  },
  { title: 'Extension', description: 'The extension, of which the person has been told.', examples: [EXTENSION_EXAMPLE] },
)

export const PAUSE_EXAMPLE = {
  id: '01939f6e-5c1b-7cc2-9d2e-7d8a3c4b5a70',
  reason: 'clarification',
  dpv: dpvIri(PAUSE_REASONS.clarification),
  state: 'waiting',
  askedOn: '2026-09-10',
  answeredOn: null,
}
export const PauseView = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    reason: Type.Enum(Object.keys(PAUSE_REASONS) as PauseReason[]),
    dpv: Type.String({ format: 'uri', description: 'The reason in the W3C Data Privacy Vocabulary 2.3.' }),
    state: Type.Enum(['proposed', 'waiting', 'answered']),
    askedOn: Nullable(DayText),
    answeredOn: Nullable(DayText),
  },
  { title: 'Pause', description: 'What the person is asked, and since when.', examples: [PAUSE_EXAMPLE] },
)
export const viewPause = ({ id, reason, from, until }: StoredPause): Static<typeof PauseView> => ({
  ...{ id, reason, dpv: dpvIri(PAUSE_REASONS[reason]), askedOn: from, answeredOn: until },
  state: until ? 'answered' : from ? 'waiting' : 'proposed',
})

export const viewExtension = ({
  request: { dueOn, legalDueOn },
  reason,
  announcedOn,
}: Extended): Static<typeof ExtensionView> => ({
  ...{ reason, dpv: dpvIri(EXTENSION_REASONS[reason]), announcedOn, dueOn, legalDueOn },
})
