import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import type { DatasetAnswer, TaskCall } from '../../src/adapters/protocol.ts'
import type { Call } from './callers.ts'
import { letIn } from './let-in.ts'
import { type Loopback, serveHttp } from './loopback.ts'
import type { Service } from './service.ts'

/** A call as it arrived; a poll has no task. */
export interface Arrived {
  method: string
  path: string
  key: string
  signatures: number
  headers: IncomingHttpHeaders
  body: string
  task: TaskCall | undefined
}

type Answering = (task: TaskCall, res: ServerResponse, req: IncomingMessage) => unknown

/** A service adapter without any manners of its own: each call is answered as the test says. */
export interface RawAdapter extends Loopback {
  name: string
  secret: string
  calls: Arrived[]
  /** Replaced by the test; a poll is answered by `poll`. */
  on: Record<TaskCall['action'], Answering> & { poll(res: ServerResponse, req: IncomingMessage): unknown }
}

export interface RawOptions {
  actions?: string[]
  concurrency?: number
  perMinute?: number
  eraseAfter?: string[]
  identityTypes?: { type: string; formats?: string[] }[]
  /** Special categories of data (Art. 9). */
  sensitive?: boolean
  /** What it holds, where that is not `things` alone: how each differs from those. */
  datasets?: { name: string; title: string; [more: string]: unknown }[]
}

const RECORDS = [{ name: 'one' }, { name: 'two' }]
/** What a bookkeeper says of the things it may not erase. */
export const KEPT = {
  outcome: 'retained',
  count: RECORDS.length,
  reason: '17_3_b',
  statute: 'the tax and company law that binds the seller',
  until: '2033-11-20',
} as const

/** Says that everything is erased, and has it all the same: what is located and collected stays. */
export const openLyingAdapter = (name: string, options: RawOptions = {}): Promise<RawAdapter> =>
  openRawAdapter(name, { actions: ['locate', 'collect', 'erase'], ...options })

/** Keeps what it is asked to erase because the law says so, and says until when. */
export async function openKeepingAdapter(name: string, options: RawOptions = {}): Promise<RawAdapter> {
  const adapter = await openRawAdapter(name, { actions: ['locate', 'collect', 'erase'], ...options })
  adapter.on.erase = (task, res) => sendJson(res, 200, answered(task, KEPT))
  return adapter
}

/** Holds one dataset, `things`, with two records of whoever is asked about. To any change it says that it is done, and changes nothing. */
export async function openRawAdapter(name: string, options: RawOptions = {}): Promise<RawAdapter> {
  const calls: Arrived[] = []
  const agree: Answering = (task, res) => sendJson(res, 200, located(task, RECORDS.length))
  const on: RawAdapter['on'] = {
    locate: agree,
    collect: (task, res) => sendCollected(task, res, RECORDS),
    resolve: (_task, res) => res.writeHead(204).end(),
    rectify: agree,
    erase: agree,
    restrict: agree,
    lift_restriction: agree,
    object: agree,
    withdraw_consent: agree,
    poll: res => sendJson(res, 404, {}),
  }
  const server = await serveHttp(async (req, res) => {
    if (req.url === '/manifest') return sendJson(res, 200, manifest(name, options))
    const body = await text(req)
    const task = body ? (JSON.parse(body) as TaskCall) : undefined
    const { 'idempotency-key': key, 'webhook-signature': signatures } = req.headers
    calls.push({
      method: req.method ?? '',
      path: req.url ?? '',
      key: String(key),
      signatures: String(signatures).split(' ').length,
      headers: req.headers,
      body,
      task,
    })
    if (!task) return on.poll(res, req)
    await on[task.action](task, res, req)
  })
  return { ...server, name, secret: `whsec_${randomBytes(24).toString('base64')}`, calls, on }
}

const manifest = (
  name: string,
  {
    actions = ['locate', 'collect'],
    concurrency = 8,
    perMinute = 60_000,
    eraseAfter = [],
    identityTypes = [{ type: 'user_id' }, { type: 'email' }],
    sensitive = false,
    datasets = [{ name: 'things', title: 'Things' }],
  }: RawOptions,
): Record<string, unknown> => ({
  protocol: 'dsar-adapter/1',
  name,
  actions,
  identityTypes,
  limits: { concurrency, perMinute, batch: 1 },
  eraseAfter,
  cancellable: false,
  datasets: datasets.map(dataset => ({
    category: 'account',
    origin: 'provided',
    purposes: ['provide_service'],
    legalBases: ['contract'],
    retention: 'account_data',
    fields: [{ name: 'name', type: 'string', title: 'Name' }],
    sensitive,
    recipients: [],
    containsThirdParties: false,
    ...dataset,
  })),
})

export const sendJson = (res: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) =>
  res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))

const answered = ({ taskId, subject }: TaskCall, dataset: Omit<DatasetAnswer, 'name'>) => ({
  taskId,
  matched: subject.identities.slice(0, 1),
  datasets: [{ name: 'things', ...dataset }],
})

/** The answer to a `locate`, and to a change that was done to all of it. */
export const located = (task: TaskCall, count: number) => answered(task, { outcome: count > 0 ? 'completed' : 'no_data', count })

export function sendCollected(task: TaskCall, res: ServerResponse, records: readonly object[], matched: unknown = undefined) {
  const lines = [
    ...records.map(record => ({ dataset: 'things', record })),
    {
      end: { taskId: task.taskId, matched: matched ?? task.subject.identities.slice(0, 1), counts: { things: records.length } },
    },
  ]
  res.writeHead(200, { 'content-type': 'application/x-ndjson' }).end(lines.map(line => `${JSON.stringify(line)}\n`).join(''))
}

export interface CallBack {
  id?: string
  secret?: string
  body?: string
  /** What is sent instead of what was signed. */
  altered?: string
}

/** Says that a task is done, as the adapter would: to the service's own address, whatever it calls itself. */
export function callBack(anybody: Call, { secret }: RawAdapter, { callbackUrl = '' }: TaskCall, more: CallBack = {}) {
  const { id = `msg-${randomBytes(6).toString('hex')}`, body = '{"status":"done"}', altered = body } = more
  const at = new Date()
  return anybody(new URL(callbackUrl).pathname, {
    body: altered,
    headers: {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': new Webhook(more.secret ?? secret).sign(id, at, body),
    },
  })
}

export const hostsOfRaw = (adapters: readonly RawAdapter[]): string => adapters.map(({ host }) => host).join(',')

/** @returns the id of each adapter, by name */
export async function registerRaw(
  adapters: readonly RawAdapter[],
  operator: Call,
  service: Pick<Service, 'sql'>,
): Promise<Record<string, string>> {
  const ids: Record<string, string> = {}
  for (const { url, secret, name } of adapters) {
    const { status, body } = await operator('/v1/adapters', { body: { baseUrl: url, secret, title: name } })
    if (status !== 201) throw new Error(`${name} was not registered: ${JSON.stringify(body)}`)
    ids[name] = body.id
  }
  await letIn(service)
  return ids
}
