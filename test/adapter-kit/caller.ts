import { Webhook } from 'standardwebhooks'
import type { Action, Adapter, AdapterDefinition, Found, Identity } from '../../src/adapter-kit/adapter.ts'
import { createAdapter } from '../../src/adapter-kit/adapter.ts'

export const SECRET = secretOf(1)
export const OTHER_SECRET = secretOf(2)

function secretOf(byte: number): string {
  return `whsec_${Buffer.alloc(32, byte).toString('base64')}`
}

export interface SentTask {
  taskId: string
  [field: string]: unknown
}

export interface Sent {
  secret?: string
  /** Seconds to shift the timestamp by. */
  skew?: number
  headers?: Record<string, string | undefined>
  /** Sent instead of the body that was signed. */
  tampered?: string
}

/** A call as the service makes it: signed, and for a task with its Idempotency-Key. */
export async function call(method: string, url: string, json?: SentTask, sent: Sent = {}): Promise<Response> {
  const body = json ? JSON.stringify(json) : ''
  const at = new Date(Date.now() + (sent.skew ?? 0) * 1000)
  const headers = {
    ...(json && { 'content-type': 'application/json', 'idempotency-key': json.taskId }),
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(sent.secret ?? SECRET).sign('msg_1', at, body),
    ...sent.headers,
  }
  const given = Object.entries(headers).filter((header): header is [string, string] => header[1] !== undefined)
  return fetch(url, { method, headers: given, body: (sent.tampered ?? body) || null })
}

export const ANA: Identity = { type: 'user_id', value: 'u-ana' }

let tasks = 0
export const taskFor = (action: Action, more: object = {}) => {
  tasks += 1
  return { taskId: `task-${tasks}`, requestId: 'request-1', action, attempt: 1, subject: { identities: [ANA] }, ...more }
}

/** The lines of a stream, parsed. */
export async function linesOf(response: Response): Promise<Record<string, unknown>[]> {
  const text = await response.text()
  if (!text.endsWith('\n')) throw new Error('The last line is not ended.')
  return text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
}

export const DESCRIBED = {
  title: 'Notes',
  category: 'content',
  origin: 'provided',
  purposes: ['provide_service'],
  legalBases: ['contract'],
  retention: 'account_data',
} as const

const opened: Adapter[] = []

/** After each test, whether it passed or not. */
export const closeAdapters = (): Promise<unknown> => Promise.all(opened.splice(0).map(adapter => adapter.close()))

/** An adapter that knows Ana and holds two notes of hers, with whatever a test wants otherwise. */
export async function startAdapter(more: Partial<AdapterDefinition<Found>> = {}) {
  const adapter = createAdapter<Found>({
    name: 'notes',
    secrets: SECRET,
    identityTypes: [{ type: 'user_id' }],
    find: identities => {
      const matched = identities.filter(({ type, value }) => type === ANA.type && value === ANA.value)
      return matched.length > 0 ? { matched } : undefined
    },
    datasets: { notes: { ...DESCRIBED, count: () => 2, records: () => [{ text: 'one' }, { text: 'two' }] } },
    ...more,
  })
  opened.push(adapter)
  const { url } = await adapter.listen()
  return { url, manifest: adapter.manifest }
}
