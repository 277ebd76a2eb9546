import { Problem } from '../domain/problem.ts'
import type { DsarRequest } from '../domain/request.ts'
import { type Tx, write } from '../platform/database.ts'
import { type RequestRow, RequestTable } from './requests.table.ts'

// A request is read some twenty times on its way: its statements are made once, and not by a query builder each time.

const COLUMNS = Object.entries(RequestTable.options.columns).map(([field, { name, type, select }]) => ({
  field,
  name: `"${name ?? field}"`,
  isJson: type === 'jsonb',
  isRead: select !== false,
}))
const READ = COLUMNS.filter(({ isRead }) => isRead).map(({ field, name }) => `${name} AS "${field}"`)
const SELECT = `SELECT ${READ.join(', ')} FROM dsar_request WHERE id = $1`
const LOCK = `SELECT ${READ.join(', ')}, details_sealed AS "detailsSealed" FROM dsar_request WHERE id = $1 FOR UPDATE`

const stored = (value: unknown, isJson: boolean) => (isJson && value !== null ? JSON.stringify(value) : value)

/** What a transaction holds already need not be read again: nobody else can change it before the transaction ends. */
const held = new WeakMap<Tx, Map<string, DsarRequest>>()

function hold(tx: Tx, request: DsarRequest): DsarRequest {
  const mine = held.get(tx) ?? new Map<string, DsarRequest>()
  held.set(tx, mine.set(request.id, request))
  return request
}

/** What was said with a request, sealed: it never changes, and stands in the same row. */
const said = new WeakMap<Tx, Map<string, Buffer | null>>()

function holdSaid(tx: Tx, id: string, sealed: Buffer | null): void {
  const mine = said.get(tx) ?? new Map<string, Buffer | null>()
  said.set(tx, mine.set(id, sealed))
}

/** A new request; its transaction holds it. */
export async function insert(tx: Tx, row: RequestRow): Promise<void> {
  await tx.insert(RequestTable, row)
  const { referenceSealed, referenceIndex, nameSealed, detailsSealed, ...request } = row
  hold(tx, request)
  holdSaid(tx, request.id, detailsSealed)
}

export async function get(tx: Tx, id: string): Promise<DsarRequest | null> {
  const [request] = await tx.query<DsarRequest[]>(SELECT, [id])
  return request ?? null
}

/** The request, held until the transaction ends. @throws Problem `not_found` */
export async function lock(tx: Tx, id: string): Promise<DsarRequest> {
  const mine = held.get(tx)?.get(id)
  if (mine) return mine
  const [row] = await tx.query<(DsarRequest & { detailsSealed: Buffer | null })[]>(LOCK, [id])
  if (!row) throw new Problem('not_found')
  const { detailsSealed, ...request } = row
  holdSaid(tx, id, detailsSealed)
  return hold(tx, request)
}

/** The particulars as they were given, sealed; from a request that is held without asking. */
export async function sealedDetailsOf(tx: Tx, id: string): Promise<Buffer | null> {
  const mine = said.get(tx)?.get(id)
  if (mine !== undefined) return mine
  const [row] = await tx.query<{ sealed: Buffer | null }[]>('SELECT details_sealed AS sealed FROM dsar_request WHERE id = $1', [
    id,
  ])
  return row?.sealed ?? null
}

/** Changes a locked request; every change makes a new version of it. */
export async function update(tx: Tx, request: DsarRequest, changes: Partial<DsarRequest>): Promise<DsarRequest> {
  const next = { ...changes, version: request.version + 1 }
  const values = new Map<string, unknown>(Object.entries(next))
  const set = COLUMNS.filter(({ field }) => values.get(field) !== undefined)
  await write(tx, `UPDATE dsar_request SET ${set.map(({ name }, i) => `${name} = $${i + 2}`).join(', ')} WHERE id = $1`, [
    request.id,
    ...set.map(({ field, isJson }) => stored(values.get(field), isJson)),
  ])
  return hold(tx, { ...request, ...next })
}
