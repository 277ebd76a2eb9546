import { randomUUID } from 'node:crypto'
import { request } from 'undici'
import { signCall } from '../src/adapters/signing.ts'
import type { RunningAdapter } from '../src/demo/lms/lms.ts'

// Asks an adapter without the service: what is signed and sent is the same, what comes is counted and thrown away.

interface Manifest {
  identityTypes: { type: string }[]
  datasets: { name: string }[]
}

const manifests = new Map<string, Promise<Manifest>>()

type Who = { userId: string; email: string }

/** Counts and then copies everything that the adapter has of a person. @returns bytes of the copy */
export async function collectFrom(adapter: RunningAdapter, who: Who): Promise<number> {
  const about = await everythingOf(adapter, who)
  await ask(adapter, { ...about, action: 'locate' })
  return ask(adapter, { ...about, action: 'collect' })
}

/** Counts what the adapter has of a person, through the HTTP client of the service, which costs less than `fetch`. */
export async function countIn(adapter: RunningAdapter, who: Who): Promise<void> {
  const about = await everythingOf(adapter, who)
  const { statusCode, body } = await request(`${adapter.url}/tasks`, {
    method: 'POST',
    ...signed(adapter, { ...about, action: 'locate' }),
  })
  const said = await body.text()
  if (statusCode !== 200) throw new Error(`An adapter answered ${statusCode}: ${said}`)
}

/** Has everything that the adapter has of a person erased, and counts what is left. */
export async function eraseFrom(adapter: RunningAdapter, who: Who): Promise<void> {
  const about = await everythingOf(adapter, who)
  await ask(adapter, { ...about, action: 'erase', parameters: { ground: '17_1_b' } })
  await ask(adapter, { ...about, action: 'locate' })
}

async function everythingOf(adapter: RunningAdapter, { userId, email }: Who) {
  const { identityTypes, datasets } = await manifestOf(adapter)
  const identities = [
    { type: 'user_id', value: userId },
    { type: 'email', value: email },
  ].filter(({ type }) => identityTypes.some(known => known.type === type))
  const scope = { datasets: datasets.map(({ name }) => name) }
  return { requestId: randomUUID(), attempt: 1, subject: { identities }, scope }
}

function manifestOf({ url, secret }: RunningAdapter): Promise<Manifest> {
  const known = manifests.get(url)
  if (known) return known
  const asked = fetch(`${url}/manifest`, { headers: signCall([secret], randomUUID(), new Date(), '') }).then(
    answer => answer.json() as Promise<Manifest>,
  )
  manifests.set(url, asked)
  return asked
}

async function ask(adapter: RunningAdapter, task: object): Promise<number> {
  const answer = await fetch(`${adapter.url}/tasks`, { method: 'POST', ...signed(adapter, task) })
  if (answer.status !== 200 && answer.status !== 204)
    throw new Error(`An adapter answered ${answer.status}: ${await answer.text()}`)
  let bytes = 0
  for await (const chunk of answer.body ?? []) bytes += chunk.length
  return bytes
}

/** A task as the service would send it. */
function signed({ secret }: RunningAdapter, task: object): { headers: Record<string, string>; body: string } {
  const taskId = randomUUID()
  const body = JSON.stringify({
    parameters: {},
    ...task,
    taskId,
    dryRun: false,
    dueAt: '2036-01-01T00:00:00Z',
    callbackUrl: `http://127.0.0.1:9/v1/callbacks/${taskId}`,
    regulation: 'gdpr',
  })
  const headers = {
    ...signCall([secret], taskId, new Date(), body),
    'content-type': 'application/json',
    'idempotency-key': taskId,
    accept: 'application/x-ndjson, application/json',
  }
  return { headers, body }
}
