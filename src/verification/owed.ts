import { isRepresentative } from '../domain/representation.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { type PowerDeps, powerOf } from '../requests/power.ts'
import type { Purpose } from './challenges.store.ts'

/** What has yet to be shown before a request goes on, and by whom. */
export interface Owed {
  /** The power of whoever acts for the person: until two people have seen it, nobody is written to. */
  power: boolean
  /** By the person: who they are, as well as it takes. */
  person: boolean
  /** By whoever acts for them: that the address is theirs that the answer goes to. */
  requester: boolean
}

/**
 * What is owed. Whoever asks for themself has to be known as well as the right takes. Where somebody acts for them, the power has to be
 * in force, and the person has the say that it gives them: by what they showed themselves, not by what the mandate shows.
 */
export async function owedOf(deps: PowerDeps, tx: Tx, request: DsarRequest): Promise<Owed> {
  const { id, assurance, assuranceNeeded, relationship } = request
  const isKnown = assurance >= assuranceNeeded
  if (!isRepresentative(relationship)) return { power: false, person: !isKnown, requester: false }
  const power = await powerOf(deps, tx, request)
  if (!power) return { power: true, person: false, requester: false }
  const shown = await shownByPerson(tx, id)
  const enough = { decides: shown >= assuranceNeeded, agrees: isKnown && shown > 0, told: isKnown }
  return {
    power: false,
    person: !enough[power.voice],
    requester: power.to === 'requester' && power.requester.provenAt === null,
  }
}

/** The codes that would show something of what is owed. */
export const codesFor = ({ person, requester }: Owed): Purpose[] => [
  ...(person ? (['identity'] as const) : []),
  ...(requester ? (['requester'] as const) : []),
]

/** How well the person is known by what they did themselves. */
export async function shownByPerson(tx: Tx, requestId: string): Promise<number> {
  const [row] = await tx.query<{ level: number }[]>(
    `SELECT coalesce(max(level), 0) AS level FROM proof WHERE request_id = $1 AND method <> 'mandate' AND void_since IS NULL`,
    [requestId],
  )
  return row?.level ?? 0
}
