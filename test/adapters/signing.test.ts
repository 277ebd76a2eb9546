import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { signCall, verifyCallback } from '../../src/adapters/signing.ts'

const [OLD, NEW, OTHER] = ['b', 'c', 'd'].map(letter => `whsec_${Buffer.from(letter.repeat(32)).toString('base64')}`) as [
  string,
  string,
  string,
]
const NOW = new Date('2026-03-01T12:00:00.500Z')
const BODY = '{"taskId":"t","status":"done"}'
const later = (seconds: number) => new Date(NOW.getTime() + seconds * 1000)
const verify = (secrets: string[], headers: Record<string, string>, body: string | Buffer = BODY, now = NOW) =>
  verifyCallback(secrets, headers, Buffer.from(body), now)

describe('a call', () => {
  test('carries the headers that any Standard Webhooks library accepts', () => {
    const headers = signCall([NEW], 'msg_1', new Date(), BODY)
    expect(new Webhook(NEW).verify(BODY, headers)).toEqual({ taskId: 't', status: 'done' })
  })

  test('is signed with both secrets while one replaces the other, so that either side may switch first', () => {
    const headers = signCall([NEW, OLD], 'msg_1', new Date(), BODY)
    for (const secret of [NEW, OLD]) expect(new Webhook(secret).verify(BODY, headers)).toBeDefined()
  })
})

describe('a callback', () => {
  test('is known by its id once one of our secrets signed it', () => {
    expect(verify([NEW], signCall([NEW], 'msg_1', NOW, BODY))).toBe('msg_1')
  })

  test('T113 is accepted under the old secret while there are two, and refused after', () => {
    const headers = signCall([OLD], 'msg_1', NOW, BODY)
    expect(verify([NEW, OLD], headers)).toBe('msg_1')
    expect(() => verify([NEW], headers)).toThrow('proof_refused')
  })

  test.each([-300, -299, 0, 299, 300])('sent %i seconds from now is accepted', seconds => {
    expect(verify([NEW], signCall([NEW], 'm', later(seconds), BODY))).toBe('m')
  })

  test.each([-301, 301, -3600, 1e9])('T110 sent %i seconds from now is refused', seconds => {
    expect(() => verify([NEW], signCall([NEW], 'm', later(seconds), BODY))).toThrow('proof_refused')
  })

  const good = signCall([NEW], 'msg_1', NOW, BODY)
  const signature = good['webhook-signature'] ?? ''
  test.each<[string, Record<string, string>, string?]>([
    ['without headers', {}],
    ['without an id', { 'webhook-timestamp': good['webhook-timestamp'] ?? '', 'webhook-signature': signature }],
    ['signed by another adapter', signCall([OTHER], 'msg_1', NOW, BODY)],
    ['whose body has one space more', good, `${BODY} `],
    ['under another id', { ...good, 'webhook-id': 'msg_2' }],
    ['at another time', { ...good, 'webhook-timestamp': String(Number(good['webhook-timestamp']) + 1) }],
    ['in the scheme v0', { ...good, 'webhook-signature': signature.replace('v1,', 'v0,') }],
    ['in the asymmetric scheme', { ...good, 'webhook-signature': signature.replace('v1,', 'v1a,') }],
    ['with an empty signature', { ...good, 'webhook-signature': 'v1,' }],
    ['with a time that only begins as a number', { ...good, 'webhook-timestamp': `${good['webhook-timestamp']}x` }],
    ['with a time that is no number', { ...good, 'webhook-timestamp': 'NaN' }],
    ['whose id could be read as part of the time', { ...good, 'webhook-id': 'a.b' }],
  ])('T109 %s is refused', (_, headers, body = BODY) => {
    expect(() => verify([NEW], headers, body)).toThrow('proof_refused')
  })

  test('with one good signature among others is accepted', () => {
    expect(verify([NEW], { ...good, 'webhook-signature': `v1a,xyz v1,AAAA ${signature}` })).toBe('msg_1')
  })

  test('that is not UTF-8 does not pass under the signature of one that reads alike', () => {
    const twin = signCall([NEW], 'm', NOW, '"\ufffd"')
    expect(verify([NEW], twin, '"\ufffd"')).toBe('m')
    expect(() => verify([NEW], twin, Buffer.from([0x22, 0xff, 0x22]))).toThrow('proof_refused')
  })

  test('changed in any byte is refused', () => {
    fc.assert(
      fc.property(fc.nat(BODY.length - 1), fc.integer({ min: 1, max: 127 }), (at, by) => {
        const changed = Buffer.from(BODY)
        changed[at] = (changed[at] ?? 0) ^ by
        expect(() => verify([NEW], good, changed)).toThrow('proof_refused')
      }),
      { numRuns: 50 },
    )
  })
})
