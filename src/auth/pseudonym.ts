import type { Verifier } from './verify-token.ts'

/**
 * Knows people by a keyed hash of their id at the portal: the id itself is personal data, and what calls leave behind (the
 * record, who opened what, keys of calls, limits) only has to tell one person from another. Staff and services keep their
 * names, because they answer for what they do.
 */
export const underPseudonym =
  (verify: Verifier, vault: { mac(purpose: string, value: string): Buffer }): Verifier =>
  async token => {
    const caller = await verify(token)
    return caller.kind === 'portal' ? { ...caller, id: vault.mac('caller', caller.id).toString('base64url') } : caller
  }
