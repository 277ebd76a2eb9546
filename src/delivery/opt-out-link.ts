import { Problem } from '../domain/problem.ts'

export interface OptOutLinkDeps {
  vault: { seal(plaintext: string, context: string): Buffer; open(sealed: Buffer, context: string): Buffer }
  publicUrl: string
}

/** To whom an advertisement goes, and in which language the page behind its link speaks. */
export interface Addressee {
  email: string
  locale: string
}

const CONTEXT = 'opt-out'

/**
 * The link for the `List-Unsubscribe` header and the foot of an advertisement (RFC 2369, RFC 8058). The address is in it, sealed, so
 * that nothing has to be kept for the many who never follow it; and it does not expire, for neither does the right (Art. 21(2)).
 */
export function optOutLink({ vault, publicUrl }: OptOutLinkDeps, { email, locale }: Addressee): string {
  return `${publicUrl}/v1/opt-outs/${vault.seal(JSON.stringify([email, locale]), CONTEXT).toString('base64url')}`
}

/** Whose link it is. @throws Problem `not_found` for what was not made here */
export function addresseeOf({ vault }: Pick<OptOutLinkDeps, 'vault'>, token: string): Addressee {
  try {
    const [email, locale] = JSON.parse(vault.open(Buffer.from(token, 'base64url'), CONTEXT).toString('utf8')) as [string, string]
    return { email, locale }
  } catch {
    throw new Problem('not_found')
  }
}
