import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import type { RefusalReason } from '../../src/auth/token-refused.ts'
import { asJwk, type KeyServer } from './key-server.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const short = generateKeyPairSync('rsa', { modulusLength: 1024 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const edwards = generateKeyPairSync('ed25519')
const attacker = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** What an issuer publishes of them; the attacker's is nobody's. */
export const PUBLISHED = [
  asJwk(rsa.publicKey, { kid: 'r1' }),
  asJwk(short.publicKey, { kid: 'short' }),
  asJwk(ec.publicKey, { kid: 'e1' }),
  asJwk(edwards.publicKey, { kid: 'ed1' }),
]
export const ATTACKERS = asJwk(attacker.publicKey, { kid: 'r1' })

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** A token made by hand, so that nothing a library would refuse to make is missing. */
export function forge(header: unknown, payload: unknown, sign: (text: string) => string): string {
  const text = `${encode(header)}.${encode(payload)}`
  return `${text}.${sign(text)}`
}
const rs256 = (key: KeyObject) => (text: string) => createSign('sha256').update(text).sign(key, 'base64url')
const hs256 = (secret: Buffer | string) => (text: string) => createHmac('sha256', secret).update(text).digest('base64url')

const header = { alg: 'RS256', typ: 'at+jwt', kid: 'r1' }
/** Signed well by the issuer, whatever it says. */
export const signed = (payload: unknown, more: object = {}): string =>
  forge({ ...header, ...more }, payload, rs256(rsa.privateKey))
export const signedByEc = (payload: unknown): string =>
  forge({ ...header, alg: 'ES256', kid: 'e1' }, payload, text =>
    createSign('sha256').update(text).sign({ key: ec.privateKey, dsaEncoding: 'ieee-p1363' }, 'base64url'),
  )

/** A row of the threat model with what is wrong, the token, and why it is refused. Each would be good but for that one thing. */
export type BadToken = readonly [wrong: string, token: string, reason: RefusalReason]

type Claims = Record<string, unknown> & { iss: string }

/** Every token that must never be taken, made of claims that are good at the second `now`; `elsewhere` is an attacker's key server. */
export const badTokens = (claims: Claims, now: number, elsewhere: Pick<KeyServer, 'url'>): BadToken[] => [
  ...ofAnotherAlgorithm(claims),
  ...withKeysOfTheirOwn(claims, elsewhere.url),
  ...outOfTime(claims, now),
  ...notMeantForUs(claims),
  ...ofAnotherForm(claims),
]

const PEM = rsa.publicKey.export({ format: 'pem', type: 'spki' }).toString()
const SECRETS = {
  'as PEM': PEM,
  'as PEM after white space': `\n ${PEM}`,
  'as DER': rsa.publicKey.export({ format: 'der', type: 'spki' }),
  'as a JWK': JSON.stringify(rsa.publicKey.export({ format: 'jwk' })),
}

function ofAnotherAlgorithm(claims: Claims): BadToken[] {
  const zeros = () => Buffer.alloc(64).toString('base64url')
  return [
    ...['none', 'None', 'nOnE', 'NONE'].flatMap((alg): BadToken[] => [
      [`T31 alg ${alg} without a signature`, forge({ ...header, alg }, claims, () => ''), 'malformed'],
      [`T31 alg ${alg} with a signature`, forge({ ...header, alg }, claims, rs256(rsa.privateKey)), 'algorithm_refused'],
    ]),
    ['T31 an empty signature', forge(header, claims, () => ''), 'malformed'],
    ...Object.entries(SECRETS).map(([form, secret]): BadToken => {
      const token = forge({ ...header, alg: 'HS256' }, claims, hs256(secret))
      return [`T32 HS256 under the public key ${form}`, token, 'algorithm_refused']
    }),
    ['T39 RS256 that names a key of another kind', signed(claims, { kid: 'e1' }), 'unknown_key'],
    ['T39 ES256 that names a key of another kind', signed(claims, { alg: 'ES256' }), 'unknown_key'],
    ['T39 EdDSA', signed(claims, { alg: 'EdDSA', kid: 'ed1' }), 'algorithm_refused'],
    ['T39 PS256', signed(claims, { alg: 'PS256' }), 'algorithm_refused'],
    ['T39 RSA of 1024 bits, published', forge({ ...header, kid: 'short' }, claims, rs256(short.privateKey)), 'weak_key'],
    ['T39 an ECDSA signature of zeros', forge({ ...header, alg: 'ES256', kid: 'e1' }, claims, zeros), 'signature_refused'],
    ['T39 the signature of another key', forge(header, claims, rs256(attacker.privateKey)), 'signature_refused'],
    ['T39 the signature of other claims', swapped(claims), 'signature_refused'],
  ]
}

function swapped(claims: Claims): string {
  const [head, , signature] = signed(claims).split('.')
  return `${head}.${encode({ ...claims, sub: 'eve' })}.${signature}`
}

function withKeysOfTheirOwn(claims: Claims, url: string): BadToken[] {
  const named = (name: string, value: unknown) => forge({ ...header, [name]: value }, claims, rs256(attacker.privateKey))
  return [
    ['T33 a jwk', named('jwk', attacker.publicKey.export({ format: 'jwk' })), 'header_refused'],
    ['T33 a jku', named('jku', url), 'header_refused'],
    ['T33 an x5u', named('x5u', url), 'header_refused'],
    ['T33 an x5c', named('x5c', ['MIIB']), 'header_refused'],
    ['T34 a key id that is a path', signed(claims, { kid: '../../dev/null' }), 'unknown_key'],
    ['T34 a key id that is an address', signed(claims, { kid: url }), 'unknown_key'],
    ['T34 a key id that is SQL', signed(claims, { kid: "' OR 1=1 --" }), 'unknown_key'],
    ['T34 a long key id', signed(claims, { kid: 'k'.repeat(3000) }), 'unknown_key'],
    ['T34 a key id of 10 KB', signed(claims, { kid: 'k'.repeat(10_000) }), 'too_long'],
    ['T34 an unknown key id', signed(claims, { kid: 'unknown' }), 'unknown_key'],
    ['T34 a key id that is no text', signed(claims, { kid: 7 }), 'header_refused'],
  ]
}

function outOfTime(claims: Claims, now: number): BadToken[] {
  const times: [string, object, RefusalReason][] = [
    ['expired 61 seconds ago', { exp: now - 61 }, 'expired'],
    ['without an end', { exp: undefined }, 'claims_refused'],
    ['ending in text', { exp: `${now + 300}` }, 'claims_refused'],
    ['ending never', { exp: 1e308 }, 'claims_refused'],
    ['ending at null', { exp: null }, 'claims_refused'],
    ['valid from text on', { nbf: 'now' }, 'claims_refused'],
    ['valid from tomorrow on', { nbf: now + 86_400, exp: now + 86_700 }, 'not_yet_valid'],
    ['issued next year', { iat: now + 31_536_000, exp: now + 31_536_300 }, 'not_yet_valid'],
    ['without an issue time', { iat: undefined }, 'claims_refused'],
    ['issued a day ago', { iat: now - 86_461 }, 'too_old'],
  ]
  return times.map(([wrong, more, reason]) => [`T35 ${wrong}`, signed({ ...claims, ...more }), reason])
}

function notMeantForUs(claims: Claims): BadToken[] {
  const { iss } = claims
  const others: [string, object, RefusalReason][] = [
    ['T36 another audience', { aud: 'billing' }, 'audience_refused'],
    ['T36 a list without us', { aud: ['billing', 'DSAR', 'dsar '] }, 'audience_refused'],
    ['T36 no audience', { aud: undefined }, 'claims_refused'],
    ['T36 an audience that is an object', { aud: { dsar: true } }, 'claims_refused'],
    ['T36 the issuer with a slash', { iss: `${iss}/` }, 'unknown_issuer'],
    ['T36 another realm', { iss: `${iss}-other` }, 'unknown_issuer'],
    ['T36 the issuer in a list', { iss: [iss] }, 'claims_refused'],
    ['T37 an ID token by its claims', { at_hash: 'x' }, 'type_refused'],
    ['T37 a refresh token by its claims', { typ: 'Refresh' }, 'type_refused'],
    ['T37 a logout token by its claims', { events: {} }, 'type_refused'],
  ]
  const types = ['JWT', 'id+jwt', 'logout+jwt', 'refresh+jwt', undefined]
  return [
    ...others.map(([wrong, more, reason]): BadToken => [wrong, signed({ ...claims, ...more }), reason]),
    ...types.map((typ): BadToken => [`T37 of type ${typ}`, signed(claims, { typ }), 'type_refused']),
  ]
}

function ofAnotherForm(claims: Claims): BadToken[] {
  const inside = JSON.stringify(claims).slice(1)
  const bomb = deflateRawSync(Buffer.alloc(4_000_000)).subarray(0, 3000).toString('base64url')
  const forms: [string, string, RefusalReason][] = [
    ['nothing in three parts', 'a.b.c', 'malformed'],
    ['an issuer named twice', signed(`{"iss":"evil",${inside}`), 'malformed'],
    ['one named twice in another spelling', signed(`{"\\u0073ub":"eve",${inside}`), 'malformed'],
    ['one named twice further in', signed(`{"x":{"a":1,"a":2},${inside}`), 'malformed'],
    ['an unknown extension', signed(claims, { crit: ['x'] }), 'header_refused'],
    ['no extensions, called critical', signed(claims, { crit: [] }), 'header_refused'],
    ['a payload that is not encoded', signed(claims, { b64: false }), 'header_refused'],
    ['a compressed payload', signed(claims, { zip: 'DEF' }), 'header_refused'],
    ['an encrypted token that is a zip bomb', `${encode({ alg: 'RSA-OAEP', zip: 'DEF' })}.a.b.${bomb}.c`, 'malformed'],
    ['one part', 'abc', 'malformed'],
    ['no JSON', forge('{', claims, rs256(rsa.privateKey)), 'malformed'],
    ['no object', signed('[]'), 'claims_refused'],
    ['another alphabet', `${signed(claims)}+`, 'malformed'],
    ['more than 8 KiB', signed({ ...claims, more: 'x'.repeat(8192) }), 'too_long'],
    ['a megabyte', `${'a'.repeat(1_000_000)}.b.c`, 'too_long'],
  ]
  return forms.map(([wrong, token, reason]) => [`T40 ${wrong}`, token, reason])
}
