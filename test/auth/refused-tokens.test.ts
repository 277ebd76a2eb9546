import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import jwt from 'jsonwebtoken'
import type { Issuer } from '../../src/auth/issuers.ts'
import { TokenRefused } from '../../src/auth/token-refused.ts'
import { createVerifier, type Verifier } from '../../src/auth/verify-token.ts'
import { asJwk, type KeyServer, startKeyServer } from '../support/key-server.ts'

const ISSUER = 'https://id.example/realms/house'
const NOW = 1_763_800_000
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const short = generateKeyPairSync('rsa', { modulusLength: 1024 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const edwards = generateKeyPairSync('ed25519')
const attacker = generateKeyPairSync('rsa', { modulusLength: 2048 })

const claims = { iss: ISSUER, aud: 'dsar', sub: 'ana', iat: NOW - 10, exp: NOW + 300 }
const encode = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** A token made by hand, so that nothing a library would refuse to make is missing. */
function forge(header: unknown, payload: unknown, sign: (text: string) => string): string {
  const text = `${encode(header)}.${encode(payload)}`
  return `${text}.${sign(text)}`
}
const rs256 = (key: KeyObject) => (text: string) => createSign('sha256').update(text).sign(key, 'base64url')
const hs256 = (secret: Buffer | string) => (text: string) => createHmac('sha256', secret).update(text).digest('base64url')

const header = { alg: 'RS256', typ: 'at+jwt', kid: 'r1' }
const signed = (payload: unknown, more: object = {}) => forge({ ...header, ...more }, payload, rs256(rsa.privateKey))

let keys: KeyServer
let verify: Verifier

beforeAll(async () => {
  keys = await startKeyServer()
  keys.keys = [
    asJwk(rsa.publicKey, { kid: 'r1' }),
    asJwk(short.publicKey, { kid: 'short' }),
    asJwk(ec.publicKey, { kid: 'e1' }),
    asJwk(edwards.publicKey, { kid: 'ed1' }),
  ]
  const issuer: Issuer = { issuer: ISSUER, audience: 'dsar', kind: 'portal', algorithms: ['RS256', 'ES256'], jwksUrl: keys.url }
  verify = createVerifier({ issuers: [issuer], clock: { now: () => new Date(NOW * 1000) } })
})
afterAll(() => keys.close())

const reason = (token: string) =>
  verify(token).then(
    caller => `accepted as ${caller.id}`,
    error => (error instanceof TokenRefused ? error.reason : `failed with ${error}`),
  )

test('a good token is taken', async () => {
  expect(await verify(signed(claims))).toEqual({ kind: 'portal', id: `${ISSUER}|ana`, subject: 'ana', contactPoints: [] })
})

describe('the algorithm is the one agreed', () => {
  test.each(['none', 'None', 'nOnE', 'NONE'])('%s is refused, with and without a signature', async alg => {
    expect(await reason(forge({ ...header, alg }, claims, () => ''))).toBe('malformed')
    expect(await reason(forge({ ...header, alg }, claims, rs256(rsa.privateKey)))).toBe('algorithm_refused')
  })

  const pem = rsa.publicKey.export({ format: 'pem', type: 'spki' }).toString()
  test.each([
    ['PEM', pem],
    ['PEM after white space', `\n ${pem}`],
    ['DER', rsa.publicKey.export({ format: 'der', type: 'spki' })],
    ['JWK', JSON.stringify(rsa.publicKey.export({ format: 'jwk' }))],
  ])('HS256 under the public key as %s is refused', async (_, secret) => {
    expect(await reason(forge({ ...header, alg: 'HS256' }, claims, hs256(secret)))).toBe('algorithm_refused')
  })

  test('an RS256 token that names the key of another kind is refused', async () => {
    expect(await reason(signed(claims, { kid: 'e1' }))).toBe('unknown_key')
    expect(await reason(signed(claims, { alg: 'ES256', kid: 'r1' }))).toBe('unknown_key')
    expect(await reason(signed(claims, { alg: 'EdDSA', kid: 'ed1' }))).toBe('algorithm_refused')
    expect(await reason(signed(claims, { alg: 'PS256' }))).toBe('algorithm_refused')
  })

  test('an RSA key of 1024 bits is refused although it is published and signed well', async () => {
    expect(await reason(forge({ ...header, kid: 'short' }, claims, rs256(short.privateKey)))).toBe('weak_key')
  })

  test('an ECDSA signature of zeros is refused', async () => {
    const zeros = Buffer.alloc(64).toString('base64url')
    expect(await reason(forge({ ...header, alg: 'ES256', kid: 'e1' }, claims, () => zeros))).toBe('signature_refused')
  })

  test('another key, or one changed character, is refused', async () => {
    expect(await reason(forge(header, claims, rs256(attacker.privateKey)))).toBe('signature_refused')
    const [head, , signature] = signed(claims).split('.')
    expect(await reason(`${head}.${encode({ ...claims, sub: 'eve' })}.${signature}`)).toBe('signature_refused')
  })
})

describe('the header is not to be believed', () => {
  const jwk = attacker.publicKey.export({ format: 'jwk' })
  test.each([
    ['jwk', jwk],
    ['jku', 'http://127.0.0.1:9/keys'],
    ['x5u', 'http://127.0.0.1:9/chain'],
    ['x5c', ['MIIB']],
    ['crit', ['exp']],
    ['crit', []],
    ['zip', 'DEF'],
    ['b64', false],
  ])('%s: %j is refused and nothing is fetched', async (name, value) => {
    const before = keys.hits
    expect(await reason(forge({ ...header, [name]: value }, claims, rs256(attacker.privateKey)))).toBe('header_refused')
    expect(keys.hits).toBe(before)
  })

  test.each([['../../dev/null'], ["' OR 1=1 --"], ['k'.repeat(3000)], ['unknown']])('the key id %p is unknown', async kid => {
    expect(await reason(signed(claims, { kid }))).toBe('unknown_key')
  })

  test('a key id that is no text is refused', async () => {
    expect(await reason(signed(claims, { kid: 7 }))).toBe('header_refused')
  })

  test.each([['JWT'], ['id+jwt'], ['logout+jwt'], [undefined]])('a token of type %p is no access token', async typ => {
    expect(await reason(signed(claims, { typ }))).toBe('type_refused')
  })

  test('the type is a media type: with its prefix and in any case', async () => {
    expect(await reason(signed(claims, { typ: 'application/AT+JWT' }))).toBe(`accepted as ${ISSUER}|ana`)
  })
})

describe('the times', () => {
  test.each([
    ['expired 61 seconds ago', { exp: NOW - 61 }, 'expired'],
    ['without an end', { exp: undefined }, 'claims_refused'],
    ['ending in text', { exp: `${NOW + 300}` }, 'claims_refused'],
    ['ending never', { exp: 1e308 }, 'claims_refused'],
    ['ending at null', { exp: null }, 'claims_refused'],
    ['valid from 61 seconds on', { nbf: NOW + 61 }, 'not_yet_valid'],
    ['valid from text on', { nbf: 'now' }, 'claims_refused'],
    ['issued 61 seconds from now', { iat: NOW + 61, exp: NOW + 400 }, 'not_yet_valid'],
    ['issued next year', { iat: NOW + 31_536_000, exp: NOW + 31_536_300 }, 'not_yet_valid'],
    ['without an issue time', { iat: undefined }, 'claims_refused'],
    ['issued over an hour ago', { iat: NOW - 3661 }, 'too_old'],
  ])('%s is refused', async (_, more, why) => {
    expect(await reason(signed({ ...claims, ...more }))).toBe(why)
  })

  test('clocks may differ by a minute', async () => {
    expect(await reason(signed({ ...claims, exp: NOW - 59 }))).toMatch(/^accepted/)
    expect(await reason(signed({ ...claims, nbf: NOW + 60, iat: NOW + 60 }))).toMatch(/^accepted/)
  })
})

describe('the token is meant for us and by whom we trust', () => {
  test.each([
    ['another audience', { aud: 'billing' }, 'audience_refused'],
    ['a list without us', { aud: ['billing', 'DSAR', 'dsar '] }, 'audience_refused'],
    ['no audience', { aud: undefined }, 'claims_refused'],
    ['an audience that is an object', { aud: { dsar: true } }, 'claims_refused'],
    ['the issuer with a slash', { iss: `${ISSUER}/` }, 'unknown_issuer'],
    ['another realm', { iss: 'https://id.example/realms/other' }, 'unknown_issuer'],
    ['the issuer in a list', { iss: [ISSUER] }, 'claims_refused'],
    ['an ID token by its claims', { at_hash: 'x' }, 'type_refused'],
    ['a refresh token by its claims', { typ: 'Refresh' }, 'type_refused'],
    ['nobody', { sub: '' }, 'claims_refused'],
    ['somebody with a line break', { sub: 'ana\neve' }, 'claims_refused'],
  ])('%s is refused', async (_, more, why) => {
    expect(await reason(signed({ ...claims, ...more }))).toBe(why)
  })

  test('a list of audiences with us in it is taken', async () => {
    expect(await reason(signed({ ...claims, aud: ['billing', 'dsar'] }))).toMatch(/^accepted/)
  })
})

describe('the form', () => {
  const twice = (text: string) => forge(header, text, rs256(rsa.privateKey))
  test.each([
    ['empty', '', 'malformed'],
    ['one part', 'abc', 'malformed'],
    ['five parts, as an encrypted token has', 'a.b.c.d.e', 'malformed'],
    ['no JSON', forge('{', claims, rs256(rsa.privateKey)), 'malformed'],
    ['no object', forge(header, '[]', rs256(rsa.privateKey)), 'claims_refused'],
    ['another alphabet', `${signed(claims)}+`, 'malformed'],
    ['an issuer named twice', twice(`{"iss":"evil",${JSON.stringify(claims).slice(1)}`), 'malformed'],
    ['one named twice in another spelling', twice(`{"\\u0073ub":"eve",${JSON.stringify(claims).slice(1)}`), 'malformed'],
    ['one named twice further in', twice(`{"x":{"a":1,"a":2},${JSON.stringify(claims).slice(1)}`), 'malformed'],
    ['more than 8 KiB', signed({ ...claims, more: 'x'.repeat(8192) }), 'too_long'],
  ])('%s is refused', async (_, token, why) => {
    expect(await reason(token)).toBe(why)
  })

  test('a megabyte is refused in no time', async () => {
    const token = `${'a'.repeat(1_000_000)}.b.c`
    const { user } = process.cpuUsage()
    expect(await reason(token)).toBe('too_long')
    expect(process.cpuUsage().user - user).toBeLessThan(50_000)
  })

  test('the same name in two objects is no repetition', async () => {
    expect(await reason(twice(`{"x":{"a":1},"y":[{"a":"}:{"},{"a":3}],${JSON.stringify(claims).slice(1)}`))).toMatch(/^accepted/)
  })
})

test('the library that signs for others is understood', async () => {
  const token = jwt.sign(claims, ec.privateKey, { algorithm: 'ES256', header: { alg: 'ES256', typ: 'at+jwt', kid: 'e1' } })
  expect(await reason(token)).toMatch(/^accepted/)
})
