import { createHash } from 'node:crypto'
import { AdapterFault } from '../adapters/fault.ts'
import type { Identity, TaskCall } from '../adapters/protocol.ts'
import type { Profile } from './profile.ts'

/** An identity as it is sent. */
interface SentIdentity {
  type: string
  value: string
  format: Profile['identityTypes'][string]['format']
}

/** One request of a task. The first goes by an id that follows from the task alone. */
export interface SubjectRequest {
  id: string
  identities: readonly SentIdentity[]
}

/** Of one person, at one processor. */
const MOST = 20

/**
 * The requests that one task takes: one, unless the processor takes fewer identities in a request than the person has. None is
 * left out: what is known under another address would stand. @throws AdapterFault
 */
export function subjectRequests(
  { identityTypes, identitiesPerRequest }: Profile,
  { taskId, subject }: Pick<TaskCall, 'taskId' | 'subject'>,
): SubjectRequest[] {
  const sent = subject.identities.flatMap(identity => asSent(identityTypes, identity)).sort(inOrder)
  const groups = identitiesPerRequest === 'all' ? [sent] : identitiesPerRequest === 'one' ? sent.map(one => [one]) : byTurns(sent)
  if (sent.length === 0) throw new AdapterFault('refused', 'the processor takes no kind of identity that is known')
  if (groups.length > MOST) throw new AdapterFault('refused', `the person has more identities than ${MOST} requests can name`)
  return groups.map((identities, at) => ({ id: idsOf(taskId)[at] as string, identities }))
}

/** So that the same task makes the same requests, whatever order its identities are read in. */
const inOrder = (a: SentIdentity, b: SentIdentity): number =>
  a.type === b.type ? (a.value < b.value ? -1 : 1) : a.type < b.type ? -1 : 1

/** The first of each type, the second of each, and so on. */
function byTurns(sent: readonly SentIdentity[]): SentIdentity[][] {
  const turns: SentIdentity[][] = []
  for (const identity of sent) {
    const turn = turns.find(taken => !taken.some(({ type }) => type === identity.type))
    if (turn) turn.push(identity)
    else turns.push([identity])
  }
  return turns
}

function asSent(types: Profile['identityTypes'], { type, value }: Identity): SentIdentity[] {
  const known = Object.hasOwn(types, type) ? types[type] : undefined
  return known ? [{ ...known, value: known.format === 'raw' ? value : digest(known.format, type, value) }] : []
}

/** In lower-case hex; of an e-mail address, over its lower-case spelling. */
const digest = (algorithm: string, type: string, value: string): string =>
  createHash(algorithm)
    .update(type === 'email' ? value.toLowerCase() : value)
    .digest('hex')

/** Every id that requests of a task can have, UUIDs of version 4 by their form: the same on every try, so that none is made twice. */
export const idsOf = (taskId: string): string[] => Array.from({ length: MOST }, (_, at) => idOf(`opendsr|${taskId}|${at}`))

function idOf(seed: string): string {
  const bytes = createHash('sha256').update(seed).digest().subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** What is remembered of the requests of a task: where the first of them is, and how many there are. */
export const placeOf = (address: string, requests: readonly SubjectRequest[]): string => `${address}#${requests.length}`
export const requestsBehind = (place: string): number => Number(/#(\d+)$/.exec(place)?.[1] ?? 1)

export const inShape = (shape: Profile['identityShape'], identities: readonly SentIdentity[]) =>
  shape === 'map'
    ? Object.fromEntries(identities.map(({ type, value, format }) => [type, { value, encoding: format }]))
    : identities.map(({ type, value, format }) => ({ identity_type: type, identity_value: value, identity_format: format }))
