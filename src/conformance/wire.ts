import { randomUUID } from 'node:crypto'
import { endpoint } from '../adapters/fetch-manifest.ts'
import type { Identity, TaskCall } from '../adapters/protocol.ts'
import { type Secrets, signCall } from '../adapters/signing.ts'
import { type Clock, realTime } from '../platform/clock.ts'
import { type Outbound, type OutboundCall, OutboundError } from '../platform/outbound.ts'
import { Objection } from './objection.ts'

export interface WireDeps {
  outbound: Pick<Outbound, 'request'>
  clock: Clock
  /** Waits until the next call may be made. */
  pace(): Promise<void>
  /** Gets every problem that is told. */
  said: string[]
}

export interface WireContact {
  baseUrl: string
  secrets: Secrets
}

/** What is sent otherwise than it should be. */
export interface Manner {
  method?: OutboundCall['method']
  /** None: not signed at all. */
  secrets?: Secrets
  /** Seconds by which the time of the signature is off. */
  skew?: number
  /** Sent instead of the body that was signed. */
  altered?: string
  /** The Idempotency-Key, where it is not the id of the task. */
  key?: string
  headers?: Readonly<Record<string, string>>
}

export interface Heard {
  status: number
  headers: Readonly<Record<string, string | undefined>>
  text: string
}

/** Single calls, as they should be and as they should not be. */
export interface Wire extends WireContact {
  /** Whom to ask about: somebody known where they were given, else somebody who does not exist. */
  somebody: readonly Identity[]
  /** `url` may be one that the adapter gave; without a body it is a GET. @throws Objection, where nothing comes that could be read */
  send(url: string, body: object | undefined, manner?: Manner): Promise<Heard>
  /** To the place where tasks go. */
  post(task: TaskCall | ReturnType<typeof bareTask>, manner?: Manner): Promise<Heard>
}

const LIMITS = { headersMs: 30_000, idleMs: 30_000, totalMs: 60_000, bytes: 64 * 1024 ** 2 }
/** More of an answer than this is not looked at here. */
const READ_BYTES = 1024 ** 2

export function openWire(deps: WireDeps, { baseUrl, secrets }: WireContact, somebody: readonly Identity[]): Wire {
  const send: Wire['send'] = async (url, json, manner = {}) => {
    const body = json ? JSON.stringify(json) : ''
    const at = new Date(realTime(deps.clock).getTime() + (manner.skew ?? 0) * 1000)
    const by = manner.secrets ?? secrets
    const key = manner.key ?? (json && 'taskId' in json ? String(json.taskId) : undefined)
    const sent = manner.altered ?? body
    const headers = {
      accept: 'application/json, application/x-ndjson',
      ...(key !== undefined && { 'idempotency-key': key }),
      ...(by.length > 0 && signCall(by, key ?? randomUUID(), at, body)),
      ...(sent && { 'content-type': 'application/json' }),
      ...manner.headers,
    }
    await deps.pace()
    try {
      const method = manner.method ?? (json ? 'POST' : 'GET')
      const answer = await deps.outbound.request({ method, url, headers, ...(sent && { body: sent }), limits: LIMITS })
      const heard = { status: answer.status, headers: answer.headers, text: await beginningOf(answer.body) }
      if (heard.status >= 400) deps.said.push(heard.text)
      return heard
    } catch (error) {
      if (error instanceof OutboundError) throw new Objection(`The call came to nothing: ${error.reason}.`)
      throw error
    }
  }
  return { baseUrl, secrets, somebody, send, post: (task, manner) => send(endpoint(baseUrl, 'tasks'), task, manner) }
}

async function beginningOf(body: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of body) {
    if (length < READ_BYTES) pieces.push(piece)
    length += piece.length
  }
  return Buffer.concat(pieces).toString()
}

/** A task as it is written by hand, for calls that are to be refused. */
export const bareTask = (action: string, identities: readonly Identity[], more: object = {}) => ({
  taskId: randomUUID(),
  requestId: randomUUID(),
  action,
  attempt: 1,
  dryRun: false,
  subject: { identities },
  parameters: {},
  ...more,
})
