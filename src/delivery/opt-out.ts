import { ANONYMOUS } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import type { Database } from '../platform/database.ts'
import { marksOf } from '../requests/marks.store.ts'
import { type OpenDeps, openRequest } from '../requests/open-request.ts'
import { standingOf } from '../requests/standing.ts'
import type { Addressee } from './opt-out-link.ts'

export type OptOutDeps = OpenDeps & Database

/**
 * Opts somebody out of advertising for good, by the link that was sent to nobody else: that they have it shows that the address is
 * theirs, and more is not asked of them (Art. 21(2), (3)). Done again, nothing happens.
 */
export async function optOut(deps: OptOutDeps, { email, locale }: Addressee): Promise<void> {
  const identities = [{ type: 'email', value: email }]
  const [marks = []] = await marksOf(deps, deps.read, [identities])
  if (standingOf(marks).suppressed) return
  const { level } = deps.policy.assurance.methods.signed_link
  const shown = { method: 'signed_link', level, provenAt: deps.clock.now() } as const
  const asked = { right: 'marketing_opt_out', relationship: 'self', scope: {}, details: {} } as const
  try {
    await deps.transact(tx =>
      openRequest(deps, tx, { ...asked, subject: { identities, locale }, channel: 'link', shown }, ANONYMOUS),
    )
  } catch (error) {
    if (!(error instanceof Problem && error.code === 'already_exists')) throw error
  }
}
