import type { Caller } from '../auth/caller.ts'
import { Problem } from '../domain/problem.ts'
import type { Relationship } from '../domain/request.ts'
import type { Identity } from './identities.store.ts'

/** Who was named, in which part, and the evidence that they asked. */
interface Given {
  subject: { identities?: Identity[] }
  relationship: Relationship
  channel?: string
  reference?: string
}

/**
 * The person a request is about. The portal speaks for the one who is logged in, and for nobody else unless it reports them;
 * everybody else names whom they mean. @throws Problem `unprocessable`, `not_allowed`
 */
export function identitiesFrom(given: Given, caller: Caller): Identity[] {
  const named = given.subject.identities ?? []
  if (caller.kind === 'portal' && given.relationship === 'self') return ownIdentities(named, caller)
  if (named.length === 0) throw atIdentities('Name at least one identity of the data subject.')
  if (caller.kind === 'anonymous' && !named.some(({ type }) => type === 'email'))
    throw atIdentities('Name the e-mail address that is on file, so that we can write to it.')
  if (caller.kind === 'support_agent') refuseSelfService(given, named, caller.subject)
  return named
}

function ownIdentities(named: readonly Identity[], { subject, contactPoints }: Extract<Caller, { kind: 'portal' }>): Identity[] {
  const own = [{ type: 'user_id', value: subject }, ...contactPoints]
  const foreign = named.find(
    one => !own.some(mine => mine.type === one.type && mine.value.toLowerCase() === one.value.toLowerCase()),
  )
  if (foreign) throw atIdentities('Leave this out: the portal asks for the person who is logged in, and for nobody else.')
  return own
}

const atIdentities = (detail: string) =>
  new Problem('unprocessable', undefined, { errors: [{ pointer: '/subject/identities', detail }] })

function refuseSelfService({ channel, reference }: Given, named: readonly Identity[], agent: string): void {
  if (named.some(({ type, value }) => type === 'user_id' && value === agent))
    throw new Problem('not_allowed', 'Support agents exercise their own rights through the portal.')
  if (!channel || !reference)
    throw new Problem('unprocessable', 'Acting for a user needs the evidence that they asked.', {
      errors: [
        {
          pointer: channel ? '/reference' : '/channel',
          detail: 'Say where the user asked: the channel, and the reference of the ticket or letter.',
        },
      ],
    })
}
