import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import jwt from 'jsonwebtoken'
import type { Issuer } from '../auth/issuers.ts'
import type { Clock } from '../platform/clock.ts'
import { systemClock } from '../platform/clock.ts'

export type MintedKind = Issuer['kind']

export interface TokenIssuer {
  url: string
  jwksUrl: string
  /** What AUTH_ISSUERS has to hold for the tokens to be taken. */
  issuers: Issuer[]
  /** An access token for a kind of caller, good for five minutes; `claims` add to the usual ones or take their place. */
  mint(kind: MintedKind, claims?: Record<string, unknown>): string
  /** Signs with a new key from now on and goes on publishing the old ones. */
  rotate(): void
  /** Publishes the current key alone: what older ones signed is void. */
  retireOldKeys(): void
  close(): Promise<void>
}

const AUDIENCE = 'dsar'
const PATHS: Record<MintedKind, string> = { service: 'service', support_agent: 'staff', portal: 'portal' }
const KINDS = Object.keys(PATHS) as MintedKind[]
const FIVE_MINUTES = 300

interface SigningKey {
  kid: string
  privateKey: KeyObject
  publicKey: KeyObject
}

/** Stands in for the identity providers of a house: three issuers, each with one kind of caller, and their published keys. Keys live in memory alone. */
export async function startTokenIssuer({
  port = 0,
  clock = systemClock,
}: {
  port?: number
  clock?: Clock
} = {}): Promise<TokenIssuer> {
  let keys = [newKey()] as [SigningKey, ...SigningKey[]]
  const server = createServer((req, res) => {
    if (req.url !== '/jwks.json') return res.writeHead(404).end()
    return res.writeHead(200, { 'content-type': 'application/jwk-set+json' }).end(JSON.stringify({ keys: keys.map(published) }))
  })
  await new Promise<void>((listening, failed) => server.once('error', failed).listen(port, '127.0.0.1', listening))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const jwksUrl = `${url}/jwks.json`

  return {
    url,
    jwksUrl,
    issuers: KINDS.map(kind => ({ issuer: `${url}/${PATHS[kind]}`, audience: AUDIENCE, kind, algorithms: ['ES256'], jwksUrl })),
    mint(kind, claims = {}) {
      const now = Math.floor(clock.now().getTime() / 1000)
      const usual = { iss: `${url}/${PATHS[kind]}`, aud: AUDIENCE, iat: now, exp: now + FIVE_MINUTES, jti: randomUUID() }
      const [{ kid, privateKey }] = keys
      return jwt.sign({ ...usual, ...claims }, privateKey, {
        algorithm: 'ES256',
        keyid: kid,
        header: { alg: 'ES256', typ: 'at+jwt' },
      })
    },
    rotate() {
      keys = [newKey(), ...keys]
    },
    retireOldKeys() {
      keys = [keys[0]]
    },
    close: () => new Promise(closed => server.close(() => closed())),
  }
}

const newKey = (): SigningKey => ({ kid: randomUUID(), ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) })

const published = ({ kid, publicKey }: SigningKey) => ({ ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256' })
