import { Problem } from '../domain/problem.ts'
import type { DsarRequest } from '../domain/request.ts'
import { type Tx, write } from '../platform/database.ts'
import { type RequestRow, RequestTable } from './requests.table.ts'

/** What a transaction holds already need not be read again: nobody else can change it before the transaction ends. */
const held = new WeakMap<Tx, Map<string, DsarRequest>>()

function hold(tx: Tx, request: DsarRequest): DsarRequest {
  const mine = held.get(tx) ?? new Map<string, DsarRequest>()
  held.set(tx, mine.set(request.id, request))
  return request
}

/** A new request; its transaction holds it. */
export async function insert(tx: Tx, row: RequestRow): Promise<void> {
  await tx.insert(RequestTable, row)
  const { referenceSealed, referenceIndex, nameSealed, detailsSealed, ...request } = row
  hold(tx, request)
}

export async function get(tx: Tx, id: string): Promise<DsarRequest | null> {
  return tx.findOne(RequestTable, { where: { id } })
}

/** The request, held until the transaction ends. @throws Problem `not_found` */
export async function lock(tx: Tx, id: string): Promise<DsarRequest> {
  const mine = held.get(tx)?.get(id)
  if (mine) return mine
  const request = await tx.findOne(RequestTable, { where: { id }, lock: { mode: 'pessimistic_write' } })
  if (!request) throw new Problem('not_found')
  return hold(tx, request)
}

/** Changes a locked request; every change makes a new version of it. */
export async function update(tx: Tx, request: DsarRequest, changes: Partial<DsarRequest>): Promise<DsarRequest> {
  const next = { ...changes, version: request.version + 1 }
  const update = tx.createQueryBuilder().update(RequestTable).set(next).where('id = :id', { id: request.id })
  await write(tx, ...update.getQueryAndParameters())
  return hold(tx, { ...request, ...next })
}
