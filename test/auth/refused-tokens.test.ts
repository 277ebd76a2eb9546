import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Issuer } from '../../src/auth/issuers.ts'
import { TokenRefused } from '../../src/auth/token-refused.ts'
import { createVerifier, type Verifier } from '../../src/auth/verify-token.ts'
import { badTokens, PUBLISHED, signed, signedByEc } from '../support/bad-tokens.ts'
import { type KeyServer, startKeyServer } from '../support/key-server.ts'

const ISSUER = 'https://id.example/realms/house'
const NOW = 1_763_800_000
const claims = { iss: ISSUER, aud: 'dsar', sub: 'ana', iat: NOW - 10, exp: NOW + 300 }

let keys: KeyServer
let verify: Verifier

beforeAll(async () => {
  keys = await startKeyServer()
  keys.keys = PUBLISHED
  const issuer: Issuer = { issuer: ISSUER, audience: 'dsar', kind: 'portal', algorithms: ['RS256', 'ES256'], jwksUrl: keys.url }
  verify = createVerifier({ issuers: [issuer], clock: { now: () => new Date(NOW * 1000) } })
})
afterAll(() => keys.close())

const reason = (token: string) =>
  verify(token).then(
    caller => `accepted as ${caller.id}`,
    error => (error instanceof TokenRefused ? error.reason : `failed with ${error}`),
  )

test.each([
  ['RS256', signed(claims)],
  ['ES256', signedByEc(claims)],
])('a good token is taken, signed with %s', async (_, token) => {
  expect(await verify(token)).toEqual({ kind: 'portal', id: `${ISSUER}|ana`, subject: 'ana', contactPoints: [] })
})

test.each(badTokens(claims, NOW, { url: 'http://127.0.0.1:9/keys' }))('%s is refused', async (_, token, why) => {
  expect(await reason(token)).toBe(why)
})

describe('what is good all the same', () => {
  test.each([
    ['a type with its prefix and in any case', signed(claims, { typ: 'application/AT+JWT' })],
    ['a list of audiences with us in it', signed({ ...claims, aud: ['billing', 'dsar'] })],
    ['the same name in two objects', signed({ ...claims, x: { a: 1 }, y: [{ a: '}:{' }, { a: 3 }] })],
    ['an end 59 seconds ago', signed({ ...claims, exp: NOW - 59 })],
    ['a beginning in a minute', signed({ ...claims, nbf: NOW + 60, iat: NOW + 60 })],
  ])('%s', async (_, token) => {
    expect(await reason(token)).toBe(`accepted as ${ISSUER}|ana`)
  })
})

describe('to the second', () => {
  test.each([
    ['valid from 61 seconds on', { nbf: NOW + 61 }, 'not_yet_valid'],
    ['issued 61 seconds from now', { iat: NOW + 61, exp: NOW + 400 }, 'not_yet_valid'],
    ['issued an hour and 61 seconds ago', { iat: NOW - 3661 }, 'too_old'],
  ])('what is %s is refused', async (_, more, why) => {
    expect(await reason(signed({ ...claims, ...more }))).toBe(why)
  })
})

describe('the subject', () => {
  test.each([
    ['nobody', { sub: '' }],
    ['somebody with a line break', { sub: 'ana\neve' }],
  ])('is not %s', async (_, more) => {
    expect(await reason(signed({ ...claims, ...more }))).toBe('claims_refused')
  })
})

test('T40 a megabyte is refused before it is taken apart', async () => {
  const token = `${'a'.repeat(1_000_000)}.b.c`
  const { user } = process.cpuUsage()
  expect(await reason(token)).toBe('too_long')
  expect(process.cpuUsage().user - user).toBeLessThan(250_000)
})
