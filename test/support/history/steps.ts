import fc from 'fast-check'
import { GROUNDS } from '../../../src/domain/refusal.ts'
import { RIGHTS, type Right } from '../../../src/domain/rights.ts'
import type { Act } from './acts.ts'
import { MOODS, type Mood } from './moods.ts'
import { PEOPLE } from './world.ts'

export interface Opening {
  right: Right
  person: number
  by: 'person' | 'service' | 'agent'
  /** The letter had lain there for so long. */
  daysAgo: number
  timeZone: string
  narrowed: boolean
}

/** A step of a history. What cannot be done just then is not done: the service says no, and that is part of the history. */
export type Step =
  | ({ do: 'open' } & Opening)
  /** `together` is tried at the same time by somebody who has read the same. */
  | { do: 'act'; request: number; act: Act; together?: Act | undefined }
  | { do: 'hold'; person: number; approved: boolean }
  | { do: 'release'; person: number }
  | { do: 'mood'; adapter: number; mood: Mood }
  | { do: 'pass'; hours: number }
  | { do: 'bring-back'; adapter: number; person: number; told: boolean }
  | { do: 'call-back' | 'rest' }

const ABUSE = {
  kind: 'abuse',
  objective: 'It is not pursued.',
  subjective: 'A gain.',
  factors: { dataGivenFreely: 'Yes.', aim: 'A claim.', timeBetween: 'A day.', conduct: 'The same to others.' },
}
const reasons = 'For these reasons.'
const excess = fc.constantFrom('manifestly_unfounded' as const, 'manifestly_excessive' as const)
const ground = fc.oneof(fc.constantFrom(...GROUNDS), excess)
const said = fc.record({ ground, reasons: fc.constant(reasons) }).map(refusal => ({
  ...refusal,
  ...(refusal.ground === 'member_state_restriction' && { citation: 'Section 29 of the Act' }),
  ...(refusal.ground.startsWith('manifestly') && { evidence: ABUSE }),
}))
const parts = fc.constantFrom(
  { categories: ['usage'] },
  { datasets: [{ adapter: 'ledger', dataset: 'things' }] },
  { purposes: ['analytics'] },
  { purposes: ['marketing'] },
)
const approve = fc.constant({ kind: 'approve' })
const refuse = said.map(refusal => ({ kind: 'refuse', ...refusal }))
const refusePartly = fc.tuple(said, parts).map(([refusal, which]) => ({ kind: 'refuse_partly', ...refusal, parts: which }))
const fee = excess.map(of => ({ kind: 'fee_notice', ground: of, reasons, evidence: ABUSE, amount: '12.50', currency: 'EUR' }))
const decision = fc.oneof(
  { weight: 4, arbitrary: approve },
  { weight: 3, arbitrary: refuse },
  { weight: 2, arbitrary: refusePartly },
  { weight: 1, arbitrary: fee },
)
const decide: fc.Arbitrary<Act> = decision.map(body => ({ name: 'decide', body }))
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 5, arbitrary: decide },
  { weight: 2, arbitrary: fc.constant<Act>({ name: 'second' }) },
  { weight: 3, arbitrary: fc.constantFrom<Act[]>({ name: 'prove' }, { name: 'retry' }, { name: 'lift' }) },
  { weight: 3, arbitrary: fc.constantFrom<Act[]>({ name: 'withdraw' }, { name: 'cancel' }, { name: 'answer' }) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom('extend', 'ask', 'agree', 'answer-pause', 'chase', 'write', 'by-hand')
      .map(name => ({ name }) as Act),
  },
)
const person = fc.nat(PEOPLE - 1)
const adapter = fc.nat(1)
/** Counted from the latest, for there most can still be done. */
const request = fc.oneof(fc.nat(2), fc.nat(2), fc.nat(20))
const opening = (right: Right): fc.Arbitrary<Step> =>
  fc.record({
    do: fc.constant('open' as const),
    right: fc.constant(right),
    person,
    by: fc.constantFrom('person' as const, 'person' as const, 'service' as const, 'agent' as const),
    daysAgo: fc.constantFrom(0, 0, 1, 9, 25),
    timeZone: fc.constantFrom('Asia/Colombo', 'Pacific/Kiritimati', 'Pacific/Pago_Pago', 'America/New_York'),
    narrowed: fc.nat(5).map(n => n === 0),
  })
const anyRight = fc.constantFrom(...(Object.keys(RIGHTS) as Right[]))

const mood = fc.record({
  do: fc.constant('mood' as const),
  adapter,
  mood: fc.constantFrom(...MOODS, 'lying' as const, 'lying' as const, 'refusing' as const),
})

const step = (right: Right): fc.Arbitrary<Step> =>
  fc.oneof(
    { weight: 7, arbitrary: opening(right) },
    { weight: 2, arbitrary: anyRight.chain(opening) },
    { weight: 14, arbitrary: fc.record({ do: fc.constant('act' as const), request, act }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('act' as const), request, act: decide, together: act }) },
    {
      weight: 2,
      arbitrary: fc.tuple(request, decide).map(([of, both]): Step => ({ do: 'act', request: of, act: both, together: both })),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('hold' as const), person, approved: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const), person }) },
    { weight: 6, arbitrary: mood },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('mood' as const), adapter, mood: fc.constant('well' as const) }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('pass' as const), hours: fc.constantFrom(1, 13, 25, 25, 73, 200) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('bring-back' as const), adapter, person, told: fc.boolean() }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('call-back' as const, 'rest' as const, 'rest' as const) }) },
  )

/** A life of one right, in which every other may come up as well; it begins by three people exercising it. */
export const history = (right: Right, steps: number) =>
  fc
    .tuple(
      fc.nat(400),
      fc.array(opening(right), { minLength: 3, maxLength: 3 }),
      mood,
      fc.array(step(right), { minLength: steps, maxLength: steps }),
    )
    .map(([startDay, first, bad, rest]) => ({ startDay, steps: [bad, ...first, ...rest] }))
