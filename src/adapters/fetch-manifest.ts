import { randomUUID } from 'node:crypto'
import { Problem } from '../domain/problem.ts'
import { type Clock, realTime } from '../platform/clock.ts'
import { type Outbound, OutboundError } from '../platform/outbound.ts'
import { AdapterFault } from './fault.ts'
import { validateManifest } from './manifest.ts'
import type { Manifest } from './protocol.ts'
import { mediaTypeOf, readWhole } from './read-json.ts'
import { type Secrets, signCall } from './signing.ts'
import { type JsonObject, parseStatement } from './strict-json.ts'

export interface Deps {
  outbound: Pick<Outbound, 'request' | 'examine'>
  clock: Clock
}

/** What has to be known to ask an adapter; what of it is used depends on its kind. */
export interface Contact {
  /** Empty where it has none. */
  baseUrl: string
  /** With which either side signs, the newest first. */
  secrets: Secrets
  /** With which we show at its door who we are: sealed at rest, written and never read back. */
  credentials: Readonly<Record<string, string>>
  /** What else there is to know. Nothing secret. */
  settings: JsonObject
}

const LIMITS = { headersMs: 10_000, idleMs: 10_000, totalMs: 20_000, bytes: 1024 ** 2 }
const DEPTH = 16

/** An address of the protocol under an adapter's base URL, which may have a path of its own; without a name, where those begin. */
export function endpoint(baseUrl: string, name: 'manifest' | 'tasks' | 'batches' | ''): string {
  const url = new URL(baseUrl)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${name}`
  url.search = url.hash = ''
  return url.href
}

/** Makes sure that we may call an address, as its name leads now; where it leads later is judged whenever it is called. @throws Problem `address_refused` */
export async function requireCallable({ outbound }: { outbound: Pick<Outbound, 'examine'> }, url: string): Promise<void> {
  const verdict = await outbound.examine(url)
  if (!verdict.allowed) throw new Problem('address_refused', `${verdict.why[0]?.toUpperCase()}${verdict.why.slice(1)}.`)
}

/**
 * Asks an adapter what it holds and can do.
 * @throws Problem `address_refused` where we may not call, `manifest_refused` for everything else that keeps a manifest from coming
 */
export async function fetchManifest(deps: Deps, { baseUrl, secrets }: Pick<Contact, 'baseUrl' | 'secrets'>): Promise<Manifest> {
  const url = endpoint(baseUrl, 'manifest')
  await requireCallable(deps, url)
  try {
    const answer = await deps.outbound.request({
      method: 'GET',
      url,
      headers: { accept: 'application/json', ...signCall(secrets, randomUUID(), realTime(deps.clock), '') },
      limits: LIMITS,
    })
    if (answer.status !== 200 || mediaTypeOf(answer) !== 'application/json') {
      answer.discard()
      throw new Problem('manifest_refused', `The adapter answered ${answer.status}, and not with application/json.`)
    }
    return validateManifest(parseStatement(await readWhole(answer.body, { jsonBytes: LIMITS.bytes }), DEPTH, 'the manifest'))
  } catch (error) {
    if (error instanceof OutboundError && error.reason === 'egress_denied') throw new Problem('address_refused')
    if (error instanceof OutboundError) throw new Problem('manifest_refused', `The adapter could not be asked (${error.reason}).`)
    if (error instanceof AdapterFault) throw new Problem('manifest_refused', `${error.detail}.`)
    throw error
  }
}
