import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import type { TaskCall } from '../../src/adapters/protocol.ts'
import { type Loopback, serveHttp } from '../support/loopback.ts'
import type { Sample } from './sample.ts'

interface Answered {
  status: number
  headers: Record<string, string>
  body: Buffer
}

/** What is done to calls on their way to an adapter, and to answers on their way back. */
export interface Meddling {
  /** Signs every call anew, whoever sent it. */
  signsAnew?: true
  task?(task: TaskCall, meddler: { url: string }): TaskCall
  answer?(answer: Answered, asked: TaskCall | undefined, method: string): Answered
  /** Headers of a call back that are left out. */
  silences?: readonly string[]
  /** What a call back says instead of what it said. */
  tells?(body: string): string
}

const HOP = ['connection', 'host', 'content-length', 'transfer-encoding', 'date', 'keep-alive']
const headersOf = (headers: IncomingMessage['headers']) =>
  Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (HOP.includes(name) ? [] : [[name, String(value)]])))

/** Stands before an adapter and spoils one thing. What it alters it signs again, as the adapter itself would have behaved so. */
export async function meddle({ url, secret }: Sample, meddling: Meddling): Promise<Loopback> {
  let own = { url: '' }
  const callbacks = new Map<string, string>()
  const forward = async (req: IncomingMessage, res: ServerResponse) => {
    const body = (await buffer(req)).toString()
    const back = callbacks.get(req.url ?? '')
    const headers = headersOf(req.headers)
    for (const silenced of back ? (meddling.silences ?? []) : []) delete headers[silenced]
    const told = meddling.tells?.(body) ?? body
    if (back && told !== body) Object.assign(headers, signed(secret, told))
    if (back) return res.writeHead((await fetch(back, { method: 'POST', headers, body: told })).status).end()
    const asked = body.startsWith('{"tasks"') || !body ? undefined : (JSON.parse(body) as TaskCall)
    if (asked?.callbackUrl && (meddling.silences ?? meddling.tells))
      callbacks.set(`/callbacks/${asked.taskId}`, asked.callbackUrl)
    const withCallback = asked && callbacks.size > 0 ? { ...asked, callbackUrl: `${own.url}/callbacks/${asked.taskId}` } : asked
    const task = withCallback && meddling.task ? meddling.task(withCallback, own) : withCallback
    const sent = JSON.stringify(task) === JSON.stringify(asked) ? body : JSON.stringify(task)
    const isSound = !meddling.signsAnew && sent !== body && isSigned(secret, body, headers)
    if (meddling.signsAnew || isSound) Object.assign(headers, signed(secret, sent), task && { 'idempotency-key': task.taskId })
    const got = await fetch(`${url}${req.url}`, { method: req.method ?? 'GET', headers, body: sent || null, redirect: 'manual' })
    const answered = {
      status: got.status,
      headers: headersOf(Object.fromEntries(got.headers)),
      body: Buffer.from(await got.arrayBuffer()),
    }
    const answer = meddling.answer?.(answered, asked, req.method ?? 'GET') ?? answered
    const length = answer.status === 204 ? {} : { 'content-length': answer.body.length }
    const location = answer.headers.location?.replace(url, own.url)
    res.writeHead(answer.status, { ...answer.headers, ...length, ...(location && { location }) }).end(answer.body)
  }
  const server = await serveHttp((req, res) => {
    forward(req, res).catch(() => res.destroy())
  })
  own = { url: server.url }
  return server
}

const isSigned = (secret: string, body: string, headers: Record<string, string>): boolean => {
  try {
    new Webhook(secret).verify(body, headers)
    return true
  } catch {
    return false
  }
}

function signed(secret: string, body: string): Record<string, string> {
  const at = new Date()
  return {
    'webhook-id': 'msg_meddled',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign('msg_meddled', at, body),
  }
}
