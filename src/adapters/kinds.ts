import { Problem } from '../domain/problem.ts'
import { realTime } from '../platform/clock.ts'
import { announcedIn, type Outcome } from './announced.ts'
import type { Answer } from './answer.ts'
import type { AdapterCall, CallDeps } from './call-adapter.ts'
import { createCallInBatches } from './call-batch.ts'
import { type CancelCall, type Cancelled, cancelTask } from './cancel-task.ts'
import { type Contact, type Deps as FetchDeps, fetchManifest } from './fetch-manifest.ts'
import type { Manifest } from './protocol.ts'
import { verifyCallback } from './signing.ts'

/**
 * `service` speaks our protocol (openapi/adapter.yaml); `sql` is a PostgreSQL database that a description makes into an adapter;
 * `opendsr` is a processor that speaks OpenDSR; `pull` cannot be reached from here and fetches its tasks; `manual` are people who are
 * told by mail.
 */
export const ADAPTER_KINDS = ['service', 'sql', 'opendsr', 'pull', 'manual'] as const
export type AdapterKind = (typeof ADAPTER_KINDS)[number]

/**
 * How adapters of one kind are asked. Whatever comes back ends in a `Manifest` and an `Answer`: who holds what, what is judged,
 * repeated, read back and verified, does not depend on the kind.
 */
export interface Connector {
  /** What it holds and can do. @throws Problem `address_refused`, `manifest_refused` */
  manifest(contact: Contact): Promise<Manifest>
  ask(call: AdapterCall): Promise<Answer>
  /** Tells it that a promised answer is not needed any more. Absent where nothing is ever promised. */
  cancel?(call: CancelCall): Promise<Cancelled>
  /** Whether a call back comes from this adapter. A kind without this calls nobody back. @throws Problem `proof_refused`, `not_allowed` */
  hear?(contact: Contact, callBack: CallBack): Promise<Heard>
}

/** A call back as it came, of which nothing is believed yet. */
export interface CallBack {
  /** By which the adapter knows the task. */
  taskId: string
  /** The address that the adapter was told. */
  url: string
  headers: Readonly<Record<string, string | string[] | undefined>>
  rawBody: Buffer
}

/** One that is believed. */
export interface Heard {
  /** By which a repetition is known. */
  message: string
  /** It says that something changed, whatever that is: also when nobody waits any more. */
  onEveryChange: boolean
  /** What it says came of the task, where it says that. */
  said?: readonly Outcome[] | undefined
}

export type Connectors = Readonly<Record<AdapterKind, Connector>>

/** Services that speak our protocol. */
export const serviceConnector = (deps: CallDeps & FetchDeps): Connector => ({
  async manifest(contact) {
    const { baseUrl, credentials, settings } = contact
    const unused = Object.entries({ credentials, settings }).filter(([, given]) => Object.keys(given).length > 0)
    const errors = [
      ...(baseUrl ? [] : [{ pointer: '/baseUrl', detail: 'A service has an address.' }]),
      ...unused.map(([name]) => ({ pointer: `/${name}`, detail: 'A service that speaks our protocol needs none.' })),
    ]
    if (errors.length > 0) throw new Problem('manifest_refused', 'It cannot be asked what it holds.', { errors })
    return fetchManifest(deps, contact)
  },
  ask: createCallInBatches(deps),
  cancel: call => cancelTask(deps, call),
  async hear({ secrets }, { headers, rawBody, taskId }) {
    const message = verifyCallback(secrets, headers, rawBody, realTime(deps.clock))
    return { message, onEveryChange: false, said: announcedIn(rawBody, taskId) }
  },
})
