import { type Static, Type } from 'typebox'
import type { Clock } from '../domain/clocks.ts'

const Day = Type.String({ format: 'date' })
const MaybeDay = Type.Optional(Day)

export const CLOCK_EXAMPLE = {
  id: 'promise',
  title: 'The promise of the privacy policy',
  citation: 'Almastack privacy policy 8.3',
  owes: 'answer',
  inForce: true,
  receivedOn: '2026-01-31',
  startsOn: '2026-01-31',
  dueOn: '2026-02-28',
  steps: [{ on: '2026-01-31', rule: 'GDPR Art. 12(3)', text: 'Received.' }],
}

export const ClockView = Type.Object(
  {
    id: Type.String(),
    title: Type.String(),
    citation: Type.String(),
    owes: Type.Enum(['answer', 'confirmation']),
    inForce: Type.Boolean(),
    receivedOn: Day,
    startsOn: Day,
    dueOn: Type.String({ format: 'date', description: 'As if nothing had ever stopped the clock.' }),
    pausedDueOn: MaybeDay,
    pausedSince: MaybeDay,
    rolledDueOn: MaybeDay,
    extensionNoticeBy: MaybeDay,
    extendableTo: MaybeDay,
    extendedDueOn: MaybeDay,
    steps: Type.Array(Type.Object({ on: MaybeDay, rule: Type.String(), text: Type.String() })),
  },
  { title: 'Clock', examples: [CLOCK_EXAMPLE] },
)

export const viewClock = (clock: Clock): Static<typeof ClockView> => ({ ...clock, steps: clock.steps.map(step => ({ ...step })) })
