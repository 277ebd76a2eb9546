import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { parseIssuers } from '../../src/auth/issuers.ts'
import { createVerifier } from '../../src/auth/verify-token.ts'
import { startTokenIssuer, type TokenIssuer } from '../../src/demo/token-issuer.ts'

let issuer: TokenIssuer
beforeEach(async () => {
  issuer = await startTokenIssuer()
})
afterEach(() => issuer.close())

const verifier = () => createVerifier({ issuers: issuer.issuers, clock: { now: () => new Date() } })

describe('the token issuer', () => {
  test('mints each kind of caller under its own name', async () => {
    const verify = verifier()
    expect(await verify(issuer.mint('service', { client_id: 'crm', scope: 'a b' }))).toMatchObject({
      kind: 'service',
      id: `${issuer.url}/service|crm`,
    })
    expect(await verify(issuer.mint('support_agent', { sub: 's1', roles: ['agent'] }))).toMatchObject({ kind: 'support_agent' })
    const email = { email: 'ana@example.org', email_verified: true }
    expect(await verify(issuer.mint('portal', { sub: 'u1', ...email }))).toMatchObject({
      kind: 'portal',
      contactPoints: [{ value: 'ana@example.org' }],
    })
  })

  test('is described in the form the configuration takes', () => {
    expect(parseIssuers(JSON.stringify(issuer.issuers))).toEqual(issuer.issuers)
  })

  test('signs with a new key after turning it, and goes on publishing the old one until that is retired', async () => {
    const before = issuer.mint('portal', { sub: 'u1' })
    issuer.rotate()
    const after = issuer.mint('portal', { sub: 'u1' })
    const verify = verifier()
    expect(await verify(before)).toMatchObject({ kind: 'portal' })
    expect(await verify(after)).toMatchObject({ kind: 'portal' })
    issuer.retireOldKeys()
    await expect(verifier()(before)).rejects.toMatchObject({ reason: 'unknown_key' })
    expect(await verifier()(after)).toMatchObject({ kind: 'portal' })
  })
})
