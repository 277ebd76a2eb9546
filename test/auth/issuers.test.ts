import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { parseIssuers } from '../../src/auth/issuers.ts'

const good = {
  issuer: 'https://id.example',
  audience: 'dsar',
  kind: 'portal',
  algorithms: ['RS256'],
  jwksUrl: 'https://id.example/jwks',
}
const pem = (bits: number) =>
  generateKeyPairSync('rsa', { modulusLength: bits }).publicKey.export({ format: 'pem', type: 'spki' }).toString()

describe('the trusted issuers', () => {
  test('are read as they are written', () => {
    expect(parseIssuers(JSON.stringify([good]))).toEqual([good])
  })

  test('may have a key instead of an address, and an address on this machine without TLS', () => {
    const withKey = { ...good, jwksUrl: undefined, publicKey: pem(2048) }
    const local = { ...good, audience: 'local', jwksUrl: 'http://127.0.0.1:8080/jwks' }
    expect(parseIssuers(JSON.stringify([withKey, local]))).toHaveLength(2)
  })

  test.each([
    ['no JSON', '{', /is not JSON/],
    ['none', '[]', /fewer than 1/],
    ['a shared secret for a signature', JSON.stringify([{ ...good, algorithms: ['HS256'] }]), /\/0\/algorithms\/0/],
    ['no signature', JSON.stringify([{ ...good, algorithms: ['none'] }]), /\/0\/algorithms\/0/],
    ['no algorithm', JSON.stringify([{ ...good, algorithms: [] }]), /\/0\/algorithms/],
    ['an unknown kind', JSON.stringify([{ ...good, kind: 'admin' }]), /\/0\/kind/],
    ['a misspelt setting', JSON.stringify([{ ...good, audiences: ['x'] }]), /\/0/],
    ['keys over plain HTTP', JSON.stringify([{ ...good, jwksUrl: 'http://id.example/jwks' }]), /has to be https/],
    ['no keys', JSON.stringify([{ ...good, jwksUrl: undefined }]), /either jwksUrl or publicKey/],
    ['two kinds of keys', JSON.stringify([{ ...good, publicKey: pem(2048) }]), /either jwksUrl or publicKey/],
    ['a short key', JSON.stringify([{ ...good, jwksUrl: undefined, publicKey: pem(1024) }]), /less than 2048/],
    ['a key that is none', JSON.stringify([{ ...good, jwksUrl: undefined, publicKey: 'secret' }]), /not a public key/],
    ['the same twice', JSON.stringify([good, { ...good, kind: 'service' }]), /twice/],
  ])('with %s do not start the service', (_, json, message) => {
    expect(() => parseIssuers(json)).toThrow(message)
  })

  test('are refused with every mistake at once', () => {
    const json = JSON.stringify([
      { ...good, kind: 'x' },
      { ...good, algorithms: ['HS256'] },
    ])
    expect(() => parseIssuers(json)).toThrow(/\/0\/kind[\s\S]*\/1\/algorithms/)
  })
})
