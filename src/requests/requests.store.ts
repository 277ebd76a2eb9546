import { Problem } from '../domain/problem.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import { type RequestRow, RequestTable } from './requests.table.ts'

export async function insert(tx: Tx, row: RequestRow): Promise<void> {
  await tx.insert(RequestTable, row)
}

export async function get(tx: Tx, id: string): Promise<DsarRequest | null> {
  return tx.findOne(RequestTable, { where: { id } })
}

/** The request, held until the transaction ends. @throws Problem `not_found` */
export async function lock(tx: Tx, id: string): Promise<DsarRequest> {
  const request = await tx.findOne(RequestTable, { where: { id }, lock: { mode: 'pessimistic_write' } })
  if (!request) throw new Problem('not_found')
  return request
}

/** Changes a locked request; every change makes a new version of it. */
export async function update(tx: Tx, request: DsarRequest, changes: Partial<DsarRequest>): Promise<DsarRequest> {
  const next = { ...changes, version: request.version + 1 }
  await tx.update(RequestTable, { id: request.id }, next)
  return { ...request, ...next }
}
