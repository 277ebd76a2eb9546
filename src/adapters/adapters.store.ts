import { randomUUIDv7 } from 'node:crypto'
import { Problem } from '../domain/problem.ts'
import type { Tx } from '../platform/database.ts'
import type { Vault } from '../platform/vault.ts'
import type { Contact } from './fetch-manifest.ts'
import type { AdapterKind } from './kinds.ts'
import type { Manifest } from './protocol.ts'
import type { Secrets } from './signing.ts'
import type { JsonObject } from './strict-json.ts'

export const ADAPTER_STATES = ['active', 'suspended', 'removed'] as const
export type AdapterState = (typeof ADAPTER_STATES)[number]

/** A registered service that holds personal data, as it was last checked. Its secrets are kept apart and never shown. */
export interface Adapter {
  id: string
  name: string
  title: string
  kind: AdapterKind
  /** Empty where it has none. */
  baseUrl: string
  settings: JsonObject
  state: AdapterState
  manifest: Manifest
  concurrency: number
  perMinute: number
  version: number
  createdAt: Date
  changedAt: Date
}

type SecretDeps = { vault: Pick<Vault, 'sealJson' | 'openJson'> }

const COLUMNS = `id, name, title, kind, base_url AS "baseUrl", settings, state, manifest, concurrency, per_minute AS "perMinute", version,
  created_at AS "createdAt", changed_at AS "changedAt"`
const context = (id: string) => `adapter|secrets_sealed|${id}`

/** Every adapter there is, or those of the given states, by name. */
export async function adaptersIn(tx: Tx, states: readonly AdapterState[] = ['active', 'suspended']): Promise<Adapter[]> {
  return tx.query(`SELECT ${COLUMNS} FROM adapter WHERE state = ANY($1) ORDER BY name`, [states])
}

/** Whether special categories of data, or data about criminal matters, are held by anybody (Art. 9, 10): of these categories, or of any. */
export async function holdsSensitive(tx: Tx, categories?: readonly string[]): Promise<boolean> {
  const [row] = await tx.query<{ found: boolean }[]>(
    `SELECT EXISTS (SELECT FROM adapter, jsonb_array_elements(manifest -> 'datasets') dataset WHERE state <> 'removed'
       AND (dataset ->> 'sensitive')::boolean AND ($1::text[] IS NULL OR dataset ->> 'category' = ANY($1))) AS found`,
    [categories ?? null],
  )
  return row?.found ?? false
}

/** The same adapters, none of which can leave the register until the transaction ends: whoever makes tasks for them needs that. */
export async function holdAdapters(tx: Tx): Promise<Adapter[]> {
  return tx.query(`SELECT ${COLUMNS} FROM adapter WHERE state <> 'removed' ORDER BY name FOR KEY SHARE`)
}

/** @throws Problem `not_found`, also for one that was removed. */
export async function getAdapter(tx: Tx, id: string, { lock = false } = {}): Promise<Adapter> {
  const [adapter] = await tx.query<Adapter[]>(
    `SELECT ${COLUMNS} FROM adapter WHERE id = $1 AND state <> 'removed' ${lock ? 'FOR UPDATE' : ''}`,
    [id],
  )
  if (!adapter) throw new Problem('not_found')
  return adapter
}

/** How an adapter is asked, its secrets opened. @throws Problem `not_found` */
export async function contactOf({ vault }: SecretDeps, tx: Tx, id: string): Promise<Contact & { kind: AdapterKind }> {
  const [row] = await tx.query<(Pick<Adapter, 'kind' | 'baseUrl' | 'settings'> & { sealed: Buffer })[]>(
    'SELECT kind, base_url AS "baseUrl", settings, secrets_sealed AS sealed FROM adapter WHERE id = $1',
    [id],
  )
  if (!row) throw new Problem('not_found')
  const { sealed, ...known } = row
  const opened = vault.openJson(sealed, context(id)) as Sealed | string[]
  return Array.isArray(opened) ? { ...known, secrets: opened, credentials: {} } : { ...known, ...opened }
}

/** Signing secrets alone, as a list, are how they were sealed before there were other kinds. */
type Sealed = Pick<Contact, 'secrets' | 'credentials'>

export type NewAdapter = Pick<Adapter, 'name' | 'title' | 'manifest'> & Contact & { kind: AdapterKind }

/** @throws Problem `already_exists` */
export async function insertAdapter({ vault }: SecretDeps, tx: Tx, adapter: NewAdapter, now: Date): Promise<Adapter> {
  const id = randomUUIDv7()
  const { concurrency, perMinute } = adapter.manifest.limits
  const [row] = await tx.query<Adapter[]>(
    `INSERT INTO adapter (id, name, title, base_url, secrets_sealed, state, manifest, concurrency, per_minute, allowance, allowance_at, created_at, changed_at,
       kind, settings)
     VALUES ($1, $2, $3, $4, $5, 'active', $6, $7, $8::int, $8::int, now(), $9, $9, $10, $11)
     ON CONFLICT (name) WHERE state <> 'removed' DO NOTHING RETURNING ${COLUMNS}`,
    [
      id,
      adapter.name,
      adapter.title,
      adapter.baseUrl,
      vault.sealJson({ secrets: adapter.secrets, credentials: adapter.credentials }, context(id)),
      JSON.stringify(adapter.manifest),
      concurrency,
      perMinute,
      now,
      adapter.kind,
      JSON.stringify(adapter.settings),
    ],
  )
  if (!row) throw new Problem('already_exists', `An adapter named '${adapter.name}' is registered.`)
  return row
}

export interface AdapterChange {
  title?: string
  baseUrl?: string
  manifest?: Manifest
  /** With the credentials, for they are sealed together. */
  secrets?: Secrets
  credentials?: Contact['credentials']
  settings?: JsonObject
  state?: AdapterState
}

/** Changes a locked adapter; what is not named stays. Tasks already made keep what they were made with. */
export async function updateAdapter(
  { vault }: SecretDeps,
  tx: Tx,
  adapter: Adapter,
  { secrets, credentials, ...change }: AdapterChange,
  now: Date,
): Promise<Adapter> {
  const manifest = change.manifest ?? adapter.manifest
  await tx.query(
    `UPDATE adapter SET title = $2, base_url = $3, manifest = $4, concurrency = $5, per_minute = $6, state = $7,
       secrets_sealed = coalesce($8, secrets_sealed), changed_at = $9, settings = coalesce($10, settings), version = version + 1 WHERE id = $1`,
    [
      adapter.id,
      change.title ?? adapter.title,
      change.baseUrl ?? adapter.baseUrl,
      JSON.stringify(manifest),
      manifest.limits.concurrency,
      manifest.limits.perMinute,
      change.state ?? adapter.state,
      secrets && credentials ? vault.sealJson({ secrets, credentials }, context(adapter.id)) : null,
      now,
      change.settings ? JSON.stringify(change.settings) : null,
    ],
  )
  const [row] = await tx.query<Adapter[]>(`SELECT ${COLUMNS} FROM adapter WHERE id = $1`, [adapter.id])
  return row as Adapter
}

/** Tasks of an adapter that still have to be answered. */
export async function openTasks(tx: Tx, id: string): Promise<number> {
  const [row] = await tx.query<{ count: number }[]>(
    `SELECT count(*) FROM task WHERE adapter_id = $1 AND state NOT IN ('done', 'cancelled')`,
    [id],
  )
  return row?.count ?? 0
}
