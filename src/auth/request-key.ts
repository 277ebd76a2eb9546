import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Problem } from '../domain/problem.ts'
import type { KeyedCall, StoredAnswer } from '../platform/idempotency.ts'

/** As the description of the API has it, on every route that can answer `key_reused`. */
export const KeyHeader = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      description:
        'A name of your own for this call, best a random UUID. The same call with the same key has its effect once and gets the same answer again, for 30 days.',
    }),
  ),
})

const KEY = /^[\x21-\x7e]{1,255}$/

/** 128 bits in base64: nobody guesses it. */
const UNGUESSABLE = 22

/**
 * The Idempotency-Key of a call with what it belongs to: who calls which route, and a hash of everything asked.
 * Undefined without the header. Nothing but the key tells one anonymous caller from another, so theirs has to be
 * long: with a short one they could be handed each other's answers. @throws Problem `invalid_request`
 */
export function requestKey(req: FastifyRequest, body: unknown = req.body): KeyedCall | undefined {
  const key = req.headers['idempotency-key']
  if (key === undefined) return undefined
  if (typeof key !== 'string' || !KEY.test(key)) throw unusable('Idempotency-Key takes 1 to 255 printable ASCII characters.')
  if (req.caller.kind === 'anonymous' && key.length < UNGUESSABLE) {
    throw unusable(`Without a token, Idempotency-Key takes ${UNGUESSABLE} characters or more, chosen at random.`)
  }
  const asked = JSON.stringify(sorted([req.params, req.query, body]))
  return {
    scope: `${req.caller.id} ${req.method} ${req.routeOptions.url}`,
    key: sha256(key),
    bodyHash: sha256(`${key} ${asked}`),
  }
}

/**
 * The key stays with its caller: whatever it was made of is not stored, and without it nobody can find out from the hash of
 * what was asked whom it was about.
 */
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** Sends the answer of `once`, marking one that was given before. */
export function sendAnswer(
  reply: FastifyReply,
  { status, headers, body, replayed }: StoredAnswer & { replayed?: boolean },
): FastifyReply {
  if (replayed) reply.header('idempotency-replayed', 'true')
  return reply.code(status).headers(headers).send(body)
}

const unusable = (detail: string) => new Problem('invalid_request', detail)

/** The same asked in another order of members is the same. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(members.map(([name, inner]) => [name, sorted(inner)]))
}
