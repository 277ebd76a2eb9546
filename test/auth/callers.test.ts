import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import jwt from 'jsonwebtoken'
import { type Caller, toActor } from '../../src/auth/caller.ts'
import type { Issuer } from '../../src/auth/issuers.ts'
import { createVerifier } from '../../src/auth/verify-token.ts'

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = { ...publicKey.export({ format: 'jwk' }) }
const base = { issuer: 'https://id.example', audience: 'dsar', algorithms: ['ES256'], publicKey: jwk } satisfies Partial<Issuer>
const clock = { now: () => new Date() }

function callerOf(issuer: Issuer, claims: object): Promise<Caller> {
  const now = Math.floor(Date.now() / 1000)
  const usual = { iss: issuer.issuer, aud: issuer.audience, iat: now, exp: now + 300 }
  const token = jwt.sign({ ...usual, ...claims }, privateKey, { header: { alg: 'ES256', typ: 'at+jwt' } })
  return createVerifier({ issuers: [issuer], clock })(token)
}

const service: Issuer = { ...base, kind: 'service' }
const staff: Issuer = { ...base, kind: 'support_agent' }
const portal: Issuer = { ...base, kind: 'portal' }

describe('a service', () => {
  test('is its client with its scopes', async () => {
    const caller = await callerOf(service, { sub: 'sa-7', client_id: 'crm', scope: 'requests:open requests:read' })
    expect(caller).toEqual({ kind: 'service', id: 'https://id.example|crm', scopes: new Set(['requests:open', 'requests:read']) })
    expect(toActor(caller)).toEqual({ kind: 'service', id: 'https://id.example|crm' })
  })

  test('may be named by azp and have its scopes in a list', async () => {
    const caller = await callerOf({ ...service, claims: { scopes: 'scp' } }, { azp: 'crm', scp: ['a', 'b'] })
    expect(caller).toMatchObject({ id: 'https://id.example|crm', scopes: new Set(['a', 'b']) })
  })

  test('is nobody without a client', async () => {
    await expect(callerOf(service, { sub: 'ana', scope: 'requests:open' })).rejects.toMatchObject({ reason: 'claims_refused' })
  })

  test('has to be one of those listed, where they are', async () => {
    const listed = { ...service, clients: ['crm'] }
    expect(await callerOf(listed, { client_id: 'crm' })).toMatchObject({ kind: 'service' })
    await expect(callerOf(listed, { client_id: 'portal-web' })).rejects.toMatchObject({ reason: 'client_refused' })
    await expect(callerOf(listed, {})).rejects.toMatchObject({ reason: 'client_refused' })
  })
})

describe('a support agent', () => {
  test('holds the roles that exist here and no others', async () => {
    const nested = { ...staff, claims: { roles: 'realm_access.roles' } }
    const caller = await callerOf(nested, { sub: 's1', realm_access: { roles: ['agent', 'admin', 'dpo', '__proto__'] } })
    expect(caller).toEqual({
      kind: 'support_agent',
      id: 'https://id.example|s1',
      subject: 's1',
      roles: new Set(['agent', 'dpo']),
    })
    expect(toActor(caller)).toEqual({ kind: 'support_agent', id: 'https://id.example|s1' })
  })

  test('T43 keeps a role that was withdrawn for five minutes at most, whatever the token says', async () => {
    const now = Math.floor(Date.now() / 1000)
    const issuedAgo = (seconds: number) => ({ sub: 's1', roles: ['dpo'], iat: now - seconds, exp: now + 3600 })
    expect(await callerOf(staff, issuedAgo(240))).toMatchObject({ subject: 's1' })
    await expect(callerOf(staff, issuedAgo(361))).rejects.toMatchObject({ reason: 'too_old' })
  })
})

describe('the person in the portal', () => {
  test('has the address that their provider has verified, and their login as the token tells it', async () => {
    const login = { auth_time: 1_763_800_000, acr: 'urn:mfa', amr: ['pwd', 'otp'] }
    const caller = await callerOf(portal, { sub: 'u-1', email: 'ana@example.org', email_verified: true, ...login })
    expect(caller).toEqual({
      kind: 'portal',
      id: 'https://id.example|u-1',
      subject: 'u-1',
      contactPoints: [{ type: 'email', value: 'ana@example.org' }],
      authTime: new Date('2025-11-22T08:26:40Z'),
      acr: 'urn:mfa',
      amr: ['pwd', 'otp'],
    })
    expect(toActor(caller)).toEqual({ kind: 'data_subject', id: 'https://id.example|u-1' })
  })

  test.each([
    ['not verified', { email: 'ana@example.org', email_verified: false }],
    ['verified in words', { email: 'ana@example.org', email_verified: 'true' }],
    ['not said to be verified', { email: 'ana@example.org' }],
    ['no address', { email: 'ana@example.org\r\nBcc: eve@example.org', email_verified: true }],
    ['a list', { email: ['ana@example.org'], email_verified: true }],
  ])('has no contact point when the address is %s', async (_, claims) => {
    expect(await callerOf(portal, { sub: 'u-1', ...claims })).toMatchObject({ contactPoints: [] })
  })
})

describe('several issuers', () => {
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const house: Issuer[] = [
    { ...portal, audience: 'dsar-portal' },
    { ...service, audience: 'dsar-service' },
    { ...staff, issuer: 'https://staff.example', publicKey: { ...other.publicKey.export({ format: 'jwk' }) } },
  ]
  const verify = createVerifier({ issuers: house, clock })
  const mint = (claims: object) =>
    jwt.sign({ ...claims, iat: Date.now() / 1000, exp: Date.now() / 1000 + 60 }, privateKey, {
      header: { alg: 'ES256', typ: 'at+jwt' },
    })

  test('one issuer mints two kinds by audience', async () => {
    expect(await verify(mint({ iss: base.issuer, aud: 'dsar-portal', sub: 'ana' }))).toMatchObject({ kind: 'portal' })
    expect(await verify(mint({ iss: base.issuer, aud: 'dsar-service', client_id: 'crm' }))).toMatchObject({ kind: 'service' })
  })

  test('a token for two of them is for none', async () => {
    const both = mint({ iss: base.issuer, aud: ['dsar-portal', 'dsar-service'], sub: 'ana', client_id: 'crm' })
    await expect(verify(both)).rejects.toMatchObject({ reason: 'audience_refused' })
  })

  test('the key of one signs nothing for another', async () => {
    const forged = mint({ iss: 'https://staff.example', aud: 'dsar', sub: 's1', roles: ['dpo'] })
    await expect(verify(forged)).rejects.toMatchObject({ reason: 'signature_refused' })
  })
})
