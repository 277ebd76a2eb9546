import type { Caller } from '../auth/caller.ts'
import type { Flag, State } from '../domain/lifecycle.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Right } from '../domain/rights.ts'
import type { Tx } from '../platform/database.ts'
import { type Identity, type IdentityDeps, identityIndexes } from './identities.store.ts'
import { listing } from './visible-request.ts'

export interface Filter {
  state?: State
  type?: Right
  flag?: Flag
  /** Due on this day or before. */
  dueBy?: string
  open?: boolean
  identity?: Identity
  reference?: string
}

/** Where the last page ended. */
export interface Position {
  dueOn: string
  id: string
}

/** A page of what the caller may see, the most urgent first. */
export async function findRequests(
  deps: IdentityDeps,
  read: Tx,
  filter: Filter,
  page: { after?: Position; limit: number },
  caller: Caller,
): Promise<{ requests: DsarRequest[]; next?: Position }> {
  const conditions: string[] = []
  const parameters: unknown[] = []
  const where = (sql: (place: string) => string, value: unknown) => {
    parameters.push(value)
    conditions.push(sql(`$${parameters.length}`))
  }
  if (filter.state) where(p => `r.state = ${p}`, filter.state)
  if (filter.type) where(p => `r."right" = ${p}`, filter.type)
  if (filter.flag) where(p => `r.flags @> ARRAY[${p}]`, filter.flag)
  if (filter.dueBy) where(p => `r.due_on <= ${p}`, filter.dueBy)
  if (filter.open !== undefined) conditions.push(filter.open ? 'r.closed_at IS NULL' : 'r.closed_at IS NOT NULL')
  if (filter.reference !== undefined)
    where(p => `r.reference_index = ANY(${p})`, deps.vault.blindIndexes('reference', filter.reference))
  if (filter.identity)
    where(
      p => `EXISTS (SELECT FROM request_identity i WHERE i.request_id = r.id AND i.value_index = ANY(${p}))`,
      identityIndexes(deps, filter.identity),
    )
  if (page.after) {
    parameters.push(page.after.dueOn, page.after.id)
    conditions.push(`(r.due_on, r.id) > ($${parameters.length - 1}, $${parameters.length})`)
  }
  const visible = listing(deps, caller, parameters.length + 1)
  const found = await read.query<DsarRequest[]>(
    `SELECT r.id, r."right", r.state, r.flags, r.version, r.received_at AS "receivedAt", r.created_at AS "createdAt",
            r.due_on AS "dueOn", r.legal_due_on AS "legalDueOn", r.country, r.region, r.locale, r.time_zone AS "timeZone",
            r.channel, r.relationship, r.opened_by_kind AS "openedByKind", r.opened_by AS "openedBy", r.scope,
            r.assurance_needed AS "assuranceNeeded", r.assurance, r.policy_version AS "policyVersion", r.completeness,
            r.closed_at AS "closedAt"
     FROM dsar_request r WHERE ${[...conditions, visible.sql].join(' AND ')}
     ORDER BY r.due_on, r.id LIMIT ${page.limit + 1}`,
    [...parameters, ...visible.parameters],
  )
  const requests = found.slice(0, page.limit)
  const last = found.length > page.limit ? requests.at(-1) : undefined
  return { requests, ...(last && { next: { dueOn: last.dueOn, id: last.id } }) }
}
