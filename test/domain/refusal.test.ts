import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { addDays, addMonths, type Day } from '../../src/domain/day.ts'
import { needsSecondPerson } from '../../src/domain/decision.ts'
import { EXTENSION_REASONS, PAUSE_REASONS } from '../../src/domain/delay.ts'
import { dpvIri } from '../../src/domain/dpv.ts'
import { ABUSE_FACTORS, type Evidence } from '../../src/domain/excess.ts'
import {
  faultsOfRefusal,
  GROUNDS,
  groundAgainst,
  type Parts,
  REFUSAL_GROUNDS,
  type Refusal,
  type RefusalGround,
  type RefusedRequest,
  remediesOf,
} from '../../src/domain/refusal.ts'
import { DELAY, NON_FULFILMENT } from './dpv-terms.ts'

const ABUSE: Evidence = {
  kind: 'abuse',
  objective: 'The data are not looked at.',
  subjective: 'A claim was drafted before the request.',
  factors: { dataGivenFreely: 'Yes.', aim: 'A claim.', timeBetween: 'One day.', conduct: 'The same letter to others.' },
}
const request = (more: Partial<RefusedRequest> = {}): RefusedRequest => ({
  right: 'access',
  receivedOn: '2026-03-05',
  purposes: [],
  earlier: [],
  ...more,
})
const refusal = (more: Partial<Refusal> = {}): Refusal => ({ ground: 'not_a_right_under_law', reasons: 'Because.', ...more })
const pointers = (one: Refusal, about: RefusedRequest) => faultsOfRefusal(one, about).map(({ pointer }) => pointer)

describe('every reason', () => {
  test('not to do what was asked stands in the Data Privacy Vocabulary', () => {
    expect(NON_FULFILMENT).toEqual(expect.arrayContaining(Object.values(REFUSAL_GROUNDS).map(({ dpv }) => dpvIri(dpv))))
  })

  test('to take longer stands in the Data Privacy Vocabulary', () => {
    expect(DELAY).toEqual(
      expect.arrayContaining([...Object.values(EXTENSION_REASONS), ...Object.values(PAUSE_REASONS)].map(dpvIri)),
    )
  })
})

describe('a refusal', () => {
  test('with a ground and reasons can be saved', () => {
    expect(faultsOfRefusal(refusal(), request())).toEqual([])
  })

  test('of every purpose of a withdrawal is no refusal of parts, unless cookies are left', () => {
    const one = refusal({ parts: { purposes: ['marketing'] } })
    const withdrawal = { right: 'consent_withdrawal', purposes: ['marketing'] } as const
    expect(pointers(one, request(withdrawal))).toEqual(['/parts/purposes'])
    expect(pointers(one, request({ ...withdrawal, cookies: ['analytics'] }))).toEqual([])
  })

  test('without reasons cannot, whatever the ground', () => {
    for (const ground of GROUNDS) expect(pointers(refusal({ ground, reasons: ' \n' }), request())).toContain('/reasons')
  })

  test('always tells where to complain and that there are courts', () => {
    expect(remediesOf({ name: 'BlnBDI', url: 'https://www.datenschutz-berlin.de' })).toEqual({
      complaint: { law: 'GDPR Art. 77', authority: 'BlnBDI', url: 'https://www.datenschutz-berlin.de' },
      judicial: { law: 'GDPR Art. 79' },
    })
  })

  test.each([
    ['17_3_b', 'access'],
    ['compelling_grounds', 'erasure'],
    ['rights_of_others', 'erasure'],
  ] as const)('on %s cannot be held against %s', (ground, right) => {
    expect(pointers(refusal({ ground, parts: { categories: ['billing'] } }), request({ right }))).toContain('/ground')
  })

  test('for the rights of others takes parts out, never the whole', () => {
    expect(pointers(refusal({ ground: 'rights_of_others' }), request())).toEqual(['/ground'])
    expect(pointers(refusal({ ground: 'rights_of_others', parts: { categories: ['support'] } }), request())).toEqual([])
  })

  test('for a restriction by a member state names the provision', () => {
    expect(pointers(refusal({ ground: 'member_state_restriction' }), request())).toEqual(['/citation'])
    expect(pointers(refusal({ ground: 'member_state_restriction', citation: '§ 34 BDSG' }), request())).toEqual([])
  })

  test('of parts names some', () => {
    expect(pointers(refusal({ parts: {} }), request())).toEqual(['/parts'])
  })

  test('of a withdrawal of consent does not exist, unless nobody is found or nothing rests on consent', () => {
    const open = GROUNDS.filter(
      ground => !pointers(refusal({ ground }), request({ right: 'consent_withdrawal' })).includes('/ground'),
    )
    expect(open).toEqual(['cannot_identify', 'not_a_right_under_law'])
  })
})

describe('what is refused in part', () => {
  test('are purposes of an objection, and data of everything else', () => {
    const purposes = refusal({ parts: { purposes: ['analytics'] } })
    const data = refusal({ parts: { categories: ['usage'] } })
    expect(pointers(purposes, request())).toEqual(['/parts'])
    expect(pointers(data, request())).toEqual([])
    for (const right of ['objection', 'consent_withdrawal'] as const) {
      expect(pointers(purposes, request({ right, purposes: ['analytics', 'security'] }))).toEqual([])
      expect(pointers(data, request({ right, purposes: ['analytics', 'security'] }))).toEqual(['/parts'])
    }
  })

  test('are purposes that were asked about, and not all of an objection', () => {
    const about = request({ right: 'objection', purposes: ['analytics', 'security'] })
    expect(pointers(refusal({ parts: { purposes: ['analytics', 'billing'] } }), about)).toEqual(['/parts/purposes/1'])
    expect(pointers(refusal({ parts: { purposes: ['security', 'analytics'] } }), about)).toEqual(['/parts/purposes'])
  })
})

describe('an objection to direct marketing', () => {
  test('cannot be refused on any ground, with any evidence', () => {
    for (const ground of GROUNDS)
      for (const right of ['marketing_opt_out', 'objection'] as const)
        for (const evidence of [undefined, ABUSE])
          expect(
            pointers(
              refusal({ ground, ...(evidence && { evidence }) }),
              request({ right, purposes: ['analytics', 'marketing'] }),
            ),
          ).toContain('/kind')
  })

  test('is carried out even where the rest of the objection is refused', () => {
    const about = request({ right: 'objection', purposes: ['analytics', 'marketing'] })
    const partly = (purposes: string[]) => pointers(refusal({ ground: 'compelling_grounds', parts: { purposes } }), about)
    expect(partly(['analytics'])).toEqual([])
    expect(partly(['analytics', 'marketing'])).toEqual(['/kind', '/parts/purposes'])
    expect(partly(['marketing'])).toEqual(['/kind'])
  })
})

describe('a request called unfounded or excessive', () => {
  const excessive = (evidence?: Evidence) => refusal({ ground: 'manifestly_excessive', ...(evidence && { evidence }) })
  const daysBefore = (days: number): Partial<RefusedRequest> => ({
    earlier: [{ id: 'before', receivedOn: addDays('2026-03-05', -days) }],
  })

  test('takes a second person; nothing else does', () => {
    const two = GROUNDS.filter(ground => needsSecondPerson({ kind: 'refuse', ground, reasons: 'Because.' }))
    expect(two).toEqual(['manifestly_unfounded', 'manifestly_excessive'])
    expect(needsSecondPerson({ kind: 'approve' })).toBe(false)
    expect(
      needsSecondPerson({ kind: 'fee_notice', ground: 'manifestly_excessive', reasons: '', amount: '5', currency: 'EUR' }),
    ).toBe(true)
  })

  test('takes evidence', () => {
    expect(pointers(excessive(), request())).toEqual(['/evidence'])
    expect(pointers(excessive(ABUSE), request())).toEqual([])
    expect(pointers(refusal({ evidence: ABUSE }), request())).toEqual(['/evidence'])
  })

  test('takes both elements of abuse and every factor', () => {
    for (const element of ['objective', 'subjective'])
      expect(pointers(excessive({ ...ABUSE, [element]: ' ' }), request())).toEqual([`/evidence/${element}`])
    for (const factor of ABUSE_FACTORS)
      expect(pointers(excessive({ ...ABUSE, factors: { ...ABUSE.factors, [factor]: '' } }), request())).toEqual([
        `/evidence/factors/${factor}`,
      ])
  })

  test('may be a repetition of equal requests of the last year, which are named', () => {
    expect(pointers(excessive({ kind: 'repetition', earlier: ['before'] }), request(daysBefore(30)))).toEqual([])
    expect(pointers(excessive({ kind: 'repetition', earlier: ['before', 'other'] }), request(daysBefore(30)))).toEqual([
      '/evidence/earlier/1',
    ])
    expect(pointers(excessive({ kind: 'repetition', earlier: [] }), request(daysBefore(30)))).toEqual(['/evidence/earlier'])
    expect(pointers(excessive({ kind: 'repetition', earlier: ['before'] }), request())).toEqual(['/evidence/earlier/0'])
  })

  test('is not unfounded because it is a repetition', () => {
    const unfounded = refusal({ ground: 'manifestly_unfounded', evidence: { kind: 'repetition', earlier: ['before'] } })
    expect(pointers(unfounded, request(daysBefore(30)))).toEqual(['/evidence/kind'])
  })

  test('is never refused a year after the last equal one, to the day', () => {
    const lastOn = (receivedOn: Day) => pointers(excessive(ABUSE), request({ earlier: [{ id: 'before', receivedOn }] }))
    expect(lastOn('2025-03-06')).toEqual([])
    expect(lastOn('2025-03-05')).toEqual(['/ground'])
    fc.assert(
      fc.property(fc.integer({ min: 12, max: 60 }), fc.integer({ min: 0, max: 27 }), (months, days) => {
        expect(lastOn(addDays(addMonths('2026-03-05', -months), -days))).toEqual(['/ground'])
      }),
    )
  })

  test('is judged by the last equal request, however old the first was', () => {
    const earlier = [
      { id: 'long-ago', receivedOn: '2020-01-01' as Day },
      { id: 'before', receivedOn: '2026-02-01' as Day },
    ]
    expect(pointers(excessive({ kind: 'repetition', earlier: ['before'] }), request({ earlier }))).toEqual([])
    expect(pointers(excessive({ kind: 'repetition', earlier: ['long-ago'] }), request({ earlier }))).toEqual([
      '/evidence/earlier/0',
    ])
  })
})

test('a dataset is refused by its own name or by its category', () => {
  const refused: { ground: RefusalGround; parts: Parts }[] = [
    { ground: 'rights_of_others', parts: { categories: ['support'] } },
    { ground: '17_3_e', parts: { datasets: [{ adapter: 'lms', dataset: 'posts' }] } },
  ]
  const against = (adapter: string, dataset: string, category: string) => groundAgainst(refused, { adapter, dataset, category })
  expect(against('desk', 'tickets', 'support')).toBe('rights_of_others')
  expect(against('lms', 'posts', 'content')).toBe('17_3_e')
  expect(against('desk', 'posts', 'content')).toBeUndefined()
})
