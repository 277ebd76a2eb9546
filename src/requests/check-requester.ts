import type { Caller } from '../auth/caller.ts'
import type { Details } from '../domain/details.ts'
import { parseEmailAddress, sameAddress } from '../domain/email-address.ts'
import { type Fault, Problem } from '../domain/problem.ts'
import { isRepresentative } from '../domain/representation.ts'
import type { Relationship } from '../domain/request.ts'
import type { Identity } from './identities.store.ts'

interface Given {
  relationship: Relationship
  requester?: { name?: string; email?: string }
  subject: { identities?: Identity[] }
  details: Details
  assurance?: unknown
}

/**
 * Who asks for somebody else: by name, because the person has to judge it, and with an address of their own. Undefined where people ask for
 * themselves. @throws Problem `unprocessable`
 */
export function requesterFrom(given: Given, caller: Caller): { name: string; email: string; userId?: string } | undefined {
  const { name, email: written } = given.requester ?? {}
  if (!isRepresentative(given.relationship)) {
    const wrong = (['name', 'email'] as const).filter(field => given.requester?.[field] !== undefined)
    refuse(wrong.map(field => ({ pointer: `/requester/${field}`, detail: 'Only of whoever acts for somebody else.' })))
    return undefined
  }
  const email = written === undefined ? verifiedAddress(caller) : parseEmailAddress(written)
  refuse([
    ...(name?.trim() ? [] : [{ pointer: '/requester/name', detail: 'Say who acts for the person: they are asked or told.' }]),
    ...(email
      ? []
      : [{ pointer: '/requester/email', detail: 'One plain e-mail address of whoever acts for the person is needed.' }]),
    ...(email && isNamed(given, email)
      ? [{ pointer: '/requester/email', detail: 'This is the address named for the person.' }]
      : []),
    ...(isThemself(given, caller)
      ? [{ pointer: '/subject/identities', detail: 'Nobody acts for themself: leave the requester out.' }]
      : []),
    ...(given.assurance ? [{ pointer: '/assurance', detail: 'Whoever acts for somebody shows a mandate.' }] : []),
    ...(['lifts', 'transmitTo'] as const)
      .filter(field => given.details[field] !== undefined)
      .map(field => ({ pointer: `/details/${field}`, detail: 'Only the person themself can ask for this.' })),
  ])
  return { name: name ?? '', email: email ?? '', ...(caller.kind === 'portal' && { userId: caller.subject }) }
}

const verifiedAddress = (caller: Caller): string | undefined => {
  const [first] = caller.kind === 'portal' ? caller.contactPoints : []
  return first && parseEmailAddress(first.value)
}

const isNamed = ({ subject: { identities = [] } }: Given, email: string): boolean =>
  identities.some(({ type, value }) => type === 'email' && sameAddress(value, email))

const isThemself = ({ subject: { identities = [] } }: Given, caller: Caller): boolean =>
  caller.kind === 'portal' &&
  identities.some(
    ({ type, value }) =>
      (type === 'user_id' && value === caller.subject) ||
      (type === 'email' && caller.contactPoints.some(point => sameAddress(point.value, value))),
  )

function refuse(errors: readonly Fault[]): void {
  if (errors.length > 0) throw new Problem('unprocessable', undefined, { errors })
}
