import type { Caller } from '../auth/caller.ts'
import { type Allow, admits } from '../auth/route-config.ts'
import { isForeseeable } from '../domain/lifecycle.ts'
import { isRepresentative } from '../domain/representation.ts'
import type { DsarRequest } from '../domain/request.ts'
import { isPackaged } from '../domain/rights.ts'

interface Part {
  /** As its route says. */
  allow: Allow
  /** Whether there is anything yet, or any more. */
  isThere?(request: Pick<DsarRequest, 'state' | 'right' | 'relationship'>): boolean
  /** To people, it is shown to the data subject alone. */
  ofSubject?: true
}

const CASEWORKERS = ['agent', 'privacy_officer', 'dpo'] as const
const STAFF = [...CASEWORKERS, 'operator'] as const
const EVERYBODY: Allow = { service: 'requests:read', support_agent: STAFF, portal: true }
const NO_OPERATOR: Allow = { ...EVERYBODY, support_agent: CASEWORKERS }
const OFFICERS: Allow = { support_agent: ['privacy_officer', 'dpo'] }

/** Everything of a request that can be read, by its name in the path and in `links`. */
const PARTS: Record<string, Part> = {
  timeline: { allow: EVERYBODY },
  clocks: { allow: EVERYBODY },
  details: { allow: NO_OPERATOR },
  messages: { allow: NO_OPERATOR },
  attachments: { allow: NO_OPERATOR },
  decisions: { allow: NO_OPERATOR },
  forwardings: { allow: EVERYBODY },
  recipients: { allow: { support_agent: STAFF, portal: true }, ofSubject: true },
  plan: {
    allow: { support_agent: STAFF, portal: true },
    ofSubject: true,
    isThere: ({ state, right }) => isForeseeable(state, right),
  },
  package: {
    allow: EVERYBODY,
    isThere: ({ state, right }) => isPackaged(right) && (state === 'delivering' || state === 'completed'),
  },
  tasks: { allow: { service: 'requests:read', support_agent: STAFF } },
  letters: { allow: { support_agent: STAFF } },
  'break-glass': { allow: { support_agent: CASEWORKERS } },
  'support-checks': { allow: { support_agent: CASEWORKERS } },
  mandates: { allow: { support_agent: CASEWORKERS }, isThere: ({ relationship }) => isRepresentative(relationship) },
  pauses: { allow: { support_agent: CASEWORKERS } },
  holds: { allow: OFFICERS },
  evidence: { allow: OFFICERS },
}

/** Whatever this caller can get of a request, and nothing that they would be turned away from. */
export function linksOf(
  request: Pick<DsarRequest, 'id' | 'state' | 'right' | 'relationship'>,
  isSubject: boolean,
  caller: Caller,
): Record<string, string> {
  const self = `/v1/requests/${request.id}`
  const open = Object.entries(PARTS).filter(
    ([, { allow, isThere, ofSubject }]) =>
      admits(allow, caller) && (isThere?.(request) ?? true) && (!ofSubject || isSubject || caller.kind !== 'portal'),
  )
  return { ...selfOf(request, caller), ...Object.fromEntries(open.map(([part]) => [part, `${self}/${part}`])) }
}

/** The link to the request itself, for whoever can read it. */
export const selfOf = ({ id }: Pick<DsarRequest, 'id'>, caller: Caller): Record<string, string> =>
  admits(EVERYBODY, caller) ? { self: `/v1/requests/${id}` } : {}
