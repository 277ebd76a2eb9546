import { KeyObject } from 'node:crypto'
import { createRemoteJWKSet, customFetch, errors } from 'jose'
import type { Issuer } from './issuers.ts'
import { isWeak, publicKeyOf } from './public-key.ts'
import type { Header } from './token.ts'
import { KeysUnavailable, TokenRefused } from './token-refused.ts'

/** The key that a token's header names. @throws TokenRefused, KeysUnavailable */
export type KeySource = (header: Header) => Promise<KeyObject>

export interface KeySetTiming {
  /** Milliseconds between two attempts to read a key set, whatever came of the first: unknown key ids cost no more than this. */
  cooldown: number
  /** Milliseconds a key set is believed: a withdrawn key works no longer, and so long we do without the issuer's endpoint. */
  maxAge: number
  /** Milliseconds the endpoint may take. */
  timeout: number
}

export const KEY_SET_TIMING: KeySetTiming = { cooldown: 10_000, maxAge: 600_000, timeout: 5_000 }

/** Where the keys of an issuer come from: the configured one, or its published set (RFC 7517), read again when it turns. */
export function keysOf(issuer: Issuer, timing: KeySetTiming = KEY_SET_TIMING): KeySource {
  if (issuer.jwksUrl === undefined) {
    const key = publicKeyOf(issuer.publicKey ?? '')
    return async () => key
  }
  const published = createRemoteJWKSet(new URL(issuer.jwksUrl), {
    cooldownDuration: timing.cooldown,
    cacheMaxAge: timing.maxAge,
    timeoutDuration: timing.timeout,
    [customFetch]: sparingFetch(timing.cooldown),
  })
  const known = new WeakMap<object, KeyObject>()
  return async ({ alg, kid }) => {
    const found = await published({ alg, ...(kid !== undefined && { kid }) }).catch(error => {
      const askedInVain = error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys
      throw askedInVain || published.fresh ? new TokenRefused('unknown_key') : new KeysUnavailable(error)
    })
    const key = known.get(found) ?? KeyObject.from(found)
    known.set(found, key)
    if (isWeak(key)) throw new TokenRefused('weak_key')
    return key
  }
}

/** The library's own cool-down begins with a success only: without this, an endpoint that is down is asked at every call. */
function sparingFetch(cooldown: number): typeof fetch {
  let last = Number.NEGATIVE_INFINITY
  return async (url, init) => {
    const now = performance.now()
    if (now - last < cooldown) throw new Error('asked a moment ago')
    last = now
    return fetch(url, init)
  }
}
