import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import jwt from 'jsonwebtoken'
import type { KeySetTiming } from '../../src/auth/issuer-keys.ts'
import { KeysUnavailable, TokenRefused } from '../../src/auth/token-refused.ts'
import { createVerifier, type Verifier } from '../../src/auth/verify-token.ts'
import { asJwk, type KeyServer, startKeyServer } from '../support/key-server.ts'

const first = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const second = generateKeyPairSync('ec', { namedCurve: 'P-256' })

const mint = (privateKey: KeyObject, kid: string) =>
  jwt.sign({ sub: 'ana' }, privateKey, {
    issuer: 'https://id.example',
    audience: 'dsar',
    expiresIn: 300,
    header: { alg: 'ES256', typ: 'at+jwt', kid },
  })

let server: KeyServer
beforeEach(async () => {
  server = await startKeyServer()
  server.keys = [asJwk(first.publicKey, { kid: 'one' })]
})
afterEach(() => server.close())

const verifierWith = (timing: Partial<KeySetTiming>): Verifier =>
  createVerifier({
    issuers: [{ issuer: 'https://id.example', audience: 'dsar', kind: 'portal', algorithms: ['ES256'], jwksUrl: server.url }],
    clock: { now: () => new Date() },
    keySetTiming: { cooldown: 100, maxAge: 60_000, timeout: 1000, ...timing },
  })

const outcome = (verify: Verifier, token: string) =>
  verify(token).then(
    () => 'taken',
    error => (error instanceof TokenRefused ? error.reason : error instanceof KeysUnavailable ? 'unavailable' : String(error)),
  )

describe('the published keys', () => {
  test('are read once, however many tokens come', async () => {
    const verify = verifierWith({})
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => outcome(verify, mint(first.privateKey, 'one'))))
    expect(new Set(outcomes)).toEqual(new Set(['taken']))
    expect(server.hits).toBe(1)
  })

  test('T34 are read at most once more for a thousand unknown key ids', async () => {
    const verify = verifierWith({ cooldown: 60_000 })
    for (let i = 0; i < 1000; i++) expect(await outcome(verify, mint(second.privateKey, `unknown-${i}`))).toBe('unknown_key')
    expect(server.hits).toBeLessThanOrEqual(2)
  }, 60_000)

  test('T38 a new one is taken once the cool-down is over', async () => {
    const verify = verifierWith({ cooldown: 100 })
    expect(await outcome(verify, mint(first.privateKey, 'one'))).toBe('taken')
    server.keys.push(asJwk(second.publicKey, { kid: 'two' }))
    await pause(120)
    expect(await outcome(verify, mint(second.privateKey, 'two'))).toBe('taken')
  })

  test('T38 a withdrawn one is refused once the set is too old to be believed', async () => {
    const verify = verifierWith({ cooldown: 50, maxAge: 200 })
    expect(await outcome(verify, mint(first.privateKey, 'one'))).toBe('taken')
    server.keys = [asJwk(second.publicKey, { kid: 'two' })]
    await pause(220)
    expect(await outcome(verify, mint(first.privateKey, 'one'))).toBe('unknown_key')
  })

  test('T38 go on working while the endpoint is down, until they are too old; then nobody is let in', async () => {
    const verify = verifierWith({ cooldown: 50, maxAge: 400 })
    expect(await outcome(verify, mint(first.privateKey, 'one'))).toBe('taken')
    server.down = true
    await pause(100)
    expect(await outcome(verify, mint(first.privateKey, 'one'))).toBe('taken')
    expect(await outcome(verify, mint(second.privateKey, 'two'))).toBe('unknown_key')
    await pause(320)
    expect(await outcome(verify, mint(first.privateKey, 'one'))).toBe('unavailable')
    server.down = false
    await pause(60)
    expect(await outcome(verify, mint(first.privateKey, 'one'))).toBe('taken')
  })

  test('an endpoint that is down is not asked at every call', async () => {
    const verify = verifierWith({ cooldown: 60_000 })
    server.down = true
    for (let i = 0; i < 20; i++) expect(await outcome(verify, mint(first.privateKey, 'one'))).toBe('unavailable')
    expect(server.hits).toBe(1)
  })
})
