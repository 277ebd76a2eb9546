import type { Vault } from './vault.ts'

/** What is signed of a call: where it goes, and headers by their names in lower case. */
export interface SignedMessage {
  method: string
  /** Absolute, as the URL parser spells it. */
  url: string
  headers: Readonly<Record<string, string>>
}

/**
 * Signs a call by RFC 9421, with the key that `/v1/signing-keys` publishes: `@method`, `@target-uri` and every header given, in their
 * order. The content is covered through its digest (RFC 9530) among those headers, so that nobody has to have read it.
 * @returns the headers `signature-input` and `signature`
 */
export function signMessage(
  vault: Pick<Vault, 'sign' | 'currentKeyId'>,
  { method, url, headers }: SignedMessage,
  at: Date,
): Record<'signature-input' | 'signature', string> {
  const covered = { '@method': method, '@target-uri': url, ...headers }
  const names = Object.keys(covered).map(name => `"${name}"`)
  const parameters = `(${names.join(' ')});created=${Math.floor(at.getTime() / 1000)};keyid="${vault.currentKeyId}";alg="ed25519"`
  const base = [
    ...Object.entries(covered).map(([name, value]) => `"${name}": ${value}`),
    `"@signature-params": ${parameters}`,
  ].join('\n')
  const { signature } = vault.sign(Buffer.from(base))
  return { 'signature-input': `dsar=${parameters}`, signature: `dsar=:${signature.toString('base64')}:` }
}

/** A hexadecimal SHA-256 as a digest field has it (RFC 9530, 2). */
export const digestField = (sha256: string): string => `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`
