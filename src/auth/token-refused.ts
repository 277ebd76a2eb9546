/** Why a token was not accepted: for our log and metrics. The caller is told only that it was not. */
export type RefusalReason =
  | 'malformed'
  | 'too_long'
  | 'in_url'
  | 'header_refused'
  | 'unknown_issuer'
  | 'audience_refused'
  | 'algorithm_refused'
  | 'type_refused'
  | 'unknown_key'
  | 'weak_key'
  | 'signature_refused'
  | 'expired'
  | 'not_yet_valid'
  | 'too_old'
  | 'claims_refused'
  | 'client_refused'

/** The token is not one of ours. Carries no part of it. */
export class TokenRefused extends Error {
  readonly reason: RefusalReason

  constructor(reason: RefusalReason) {
    super(reason)
    this.name = 'TokenRefused'
    this.reason = reason
  }
}

/** The issuer's keys cannot be had at the moment, so nobody can say whether the token is good. */
export class KeysUnavailable extends Error {
  constructor(cause: unknown) {
    super('the key set cannot be read', { cause })
    this.name = 'KeysUnavailable'
  }
}
