import { randomUUIDv7 } from 'node:crypto'
import { Problem } from '../domain/problem.ts'
import type { Tx } from '../platform/database.ts'
import { together } from '../platform/together.ts'
import type { Vault } from '../platform/vault.ts'
import type { Contact } from './fetch-manifest.ts'
import type { AdapterKind } from './kinds.ts'
import type { Manifest } from './protocol.ts'
import type { Secrets } from './signing.ts'
import type { JsonObject } from './strict-json.ts'

/** On trial until it has passed its check and a second person has let it in; again when its address or a secret changes. */
export const ADAPTER_STATES = ['trial', 'live', 'suspended', 'removed'] as const
export type AdapterState = (typeof ADAPTER_STATES)[number]

/** Why nobody is asked for now, in the words of a task's problem. */
export const WHY_STOPPED = {
  suspended: { code: 'adapter_suspended', detail: 'The adapter is suspended: nobody is asked until its traffic goes on.' },
  trial: {
    code: 'adapter_on_trial',
    detail: 'The address or a secret of the adapter changed: nobody is asked until it has been checked and approved.',
  },
} as const

/** A registered service that holds personal data, as it was last checked. Its secrets are kept apart and never shown. */
export interface Adapter {
  id: string
  name: string
  title: string
  kind: AdapterKind
  /** Empty where it has none. */
  baseUrl: string
  settings: JsonObject
  /** The address of the team that looks after it: told when it is about to be late. */
  owner: string | null
  state: AdapterState
  manifest: Manifest
  concurrency: number
  perMinute: number
  /** Grows when its address or a secret changes. */
  contactVersion: number
  /** Who brought that here. */
  contactBy: string
  /** From when on it has been asked about people; null if it never was. */
  liveSince: Date | null
  version: number
  createdAt: Date
  changedAt: Date
}

type SecretDeps = { vault: Pick<Vault, 'sealJson' | 'openJson'> }

const COLUMNS = `id, name, title, kind, base_url AS "baseUrl", settings, owner, state, manifest, concurrency, per_minute AS "perMinute",
  contact_version AS "contactVersion", contact_by AS "contactBy", live_since AS "liveSince", version,
  created_at AS "createdAt", changed_at AS "changedAt"`
const context = (id: string) => `adapter|secrets_sealed|${id}`

/** Who has been let in once holds people's data, and is asked even if for now nobody answers. */
const ASKED = `state <> 'removed' AND live_since IS NOT NULL`
const WHICH = { registered: `state <> 'removed'`, asked: ASKED, stopped: `${ASKED} AND state <> 'live'` }

/** Adapters by name: those that requests are about, all there are, or those whose traffic is stopped for now. */
export async function adaptersIn(tx: Tx, which: keyof typeof WHICH = 'asked'): Promise<Adapter[]> {
  return tx.query(`SELECT ${COLUMNS} FROM adapter WHERE ${WHICH[which]} ORDER BY name`)
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
  return tx.query(`SELECT ${COLUMNS} FROM adapter WHERE ${ASKED} ORDER BY name FOR KEY SHARE`)
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
export type ContactOf = (id: string) => Promise<Contact & { kind: AdapterKind; batch: number }>

/** Whoever asks at the same time is answered by one query: tasks are claimed by the dozen. What cannot be opened is one adapter's alone. */
export function createContactOf({ vault }: SecretDeps, read: Tx): ContactOf {
  const rowOf = together(
    async (ids: string[]) => {
      const rows = await read.query<
        (Pick<Adapter, 'id' | 'kind' | 'baseUrl' | 'settings'> & { batch: number; sealed: Buffer })[]
      >(
        `SELECT id, kind, base_url AS "baseUrl", settings, (manifest #>> '{limits,batch}')::int AS batch, secrets_sealed AS sealed
         FROM adapter WHERE id = ANY ($1)`,
        [[...new Set(ids)]],
      )
      return ids.map(id => rows.find(row => row.id === id))
    },
    { atOnce: 2, most: 100 },
  )
  return async id => {
    const row = await rowOf(id)
    if (!row) throw new Problem('not_found')
    const { id: _, sealed, ...known } = row
    return { ...known, ...opened(vault, id, sealed) }
  }
}

function opened(vault: SecretDeps['vault'], id: string, sealed: Buffer): Sealed {
  const secrets = vault.openJson(sealed, context(id)) as Sealed | string[]
  return Array.isArray(secrets) ? { secrets, credentials: {} } : secrets
}

/** Signing secrets alone, as a list, are how they were sealed before there were other kinds. */
type Sealed = Pick<Contact, 'secrets' | 'credentials'>

export type NewAdapter = Pick<Adapter, 'name' | 'title' | 'manifest'> &
  Contact & { kind: AdapterKind; owner?: string; by: string }

/** @throws Problem `already_exists` */
export async function insertAdapter({ vault }: SecretDeps, tx: Tx, adapter: NewAdapter, now: Date): Promise<Adapter> {
  const id = randomUUIDv7()
  const { concurrency, perMinute } = adapter.manifest.limits
  const [row] = await tx.query<Adapter[]>(
    `INSERT INTO adapter (id, name, title, base_url, secrets_sealed, state, manifest, concurrency, per_minute, allowance, allowance_at, created_at, changed_at,
       kind, settings, contact_by, owner)
     VALUES ($1, $2, $3, $4, $5, 'trial', $6, $7, $8::int, $8::int, now(), $9, $9, $10, $11, $12, $13)
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
      adapter.by,
      adapter.owner ?? null,
    ],
  )
  if (!row) throw new Problem('already_exists', `An adapter named '${adapter.name}' is registered.`)
  return row
}

export interface AdapterChange {
  title?: string
  owner?: string
  baseUrl?: string
  manifest?: Manifest
  /** With the credentials, for they are sealed together. */
  secrets?: Secrets
  credentials?: Contact['credentials']
  settings?: JsonObject
}

/**
 * Changes a locked adapter; what is not named stays. Tasks already made keep what they were made with. With another address or secret
 * it is another until it has been checked and approved: it goes back to trial, if its traffic is not stopped anyway.
 */
export async function updateAdapter(
  { vault }: SecretDeps,
  tx: Tx,
  adapter: Adapter,
  { secrets, credentials, ...change }: AdapterChange,
  { by, now }: { by: string; now: Date },
): Promise<Adapter> {
  const isMoved = change.baseUrl !== undefined && change.baseUrl !== adapter.baseUrl
  const isAnother = isMoved || secrets !== undefined || change.settings !== undefined
  const manifest = change.manifest ?? adapter.manifest
  await tx.query(
    `UPDATE adapter SET title = $2, base_url = $3, manifest = $4, concurrency = $5, per_minute = $6, 
       state = CASE WHEN $7 AND state = 'live' THEN 'trial' ELSE state END, contact_version = contact_version + $7::int,
       contact_by = CASE WHEN $7 THEN $11 ELSE contact_by END, secrets_sealed = coalesce($8, secrets_sealed), changed_at = $9, settings = coalesce($10, settings), owner = coalesce($12, owner), version = version + 1 WHERE id = $1`,
    [
      adapter.id,
      change.title ?? adapter.title,
      change.baseUrl ?? adapter.baseUrl,
      JSON.stringify(manifest),
      manifest.limits.concurrency,
      manifest.limits.perMinute,
      isAnother,
      secrets && credentials ? vault.sealJson({ secrets, credentials }, context(adapter.id)) : null,
      now,
      change.settings ? JSON.stringify(change.settings) : null,
      by,
      change.owner ?? null,
    ],
  )
  const [row] = await tx.query<Adapter[]>(`SELECT ${COLUMNS} FROM adapter WHERE id = $1`, [adapter.id])
  return row as Adapter
}

/**
 * Stops all traffic to a locked adapter, lets it go on, or ends it for good. It goes on where it stood: live only if it was approved
 * as it is reached now.
 */
export async function setState(
  tx: Tx,
  id: string,
  to: 'suspended' | 'resumed' | 'removed',
  now: Date,
  { withAll = false } = {},
): Promise<void> {
  await tx.query(
    `UPDATE adapter SET changed_at = $3, version = version + 1, stopped_with_all = $4,
       state = CASE WHEN $2 <> 'resumed' THEN $2 WHEN approved_version = contact_version THEN 'live' ELSE 'trial' END WHERE id = $1`,
    [id, to, now, withAll && to === 'suspended'],
  )
}

/** Locked, by name: those whose traffic goes on, or those for which it was stopped together with all others. */
export async function stoppable(tx: Tx, going: boolean): Promise<Adapter[]> {
  const which = going ? `state IN ('live', 'trial')` : `state = 'suspended' AND stopped_with_all`
  return tx.query(`SELECT ${COLUMNS} FROM adapter WHERE ${which} ORDER BY name FOR UPDATE`)
}

/** Tasks of an adapter that still have to be answered. */
export async function openTasks(tx: Tx, id: string): Promise<number> {
  const [row] = await tx.query<{ count: number }[]>(
    `SELECT count(*) FROM task WHERE adapter_id = $1 AND state NOT IN ('done', 'cancelled')`,
    [id],
  )
  return row?.count ?? 0
}
