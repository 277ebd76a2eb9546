import { isUtf8 } from 'node:buffer'
import { timingSafeEqual } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { Problem } from '../domain/problem.ts'

/** Shared with one adapter alone: `whsec_` and base64, the current one first; a second one while it is being replaced. */
export type Secrets = readonly string[]

const TOLERANCE_SECONDS = 5 * 60

const secondsOf = (at: Date): number => Math.floor(at.getTime() / 1000)

/** The three headers of Standard Webhooks over exactly this body; signed with every secret, so that either side may switch first. */
export function signCall(secrets: Secrets, id: string, at: Date, body: string): Record<string, string> {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(secondsOf(at)),
    'webhook-signature': secrets.map(secret => new Webhook(secret).sign(id, at, body)).join(' '),
  }
}

/**
 * Whether one of these secrets signed exactly these bytes within five minutes of now. The library compares with the
 * machine's own clock and reads bytes that are not UTF-8 as if they were, so that several bodies share a signature:
 * of it we take the signature alone.
 * @returns the id of the message, by which a repetition is known
 * @throws Problem `proof_refused`
 */
export function verifyCallback(
  secrets: Secrets,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  rawBody: Buffer,
  now: Date,
): string {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers
  const isComplete = typeof id === 'string' && typeof timestamp === 'string' && typeof signatures === 'string'
  if (!isComplete || !/^[\w-]{1,128}$/.test(id) || !/^\d{1,12}$/.test(timestamp) || !isUtf8(rawBody))
    throw new Problem('proof_refused')
  if (Math.abs(secondsOf(now) - Number(timestamp)) > TOLERANCE_SECONDS) throw new Problem('proof_refused')

  const given = signatures.split(' ').map(signature => Buffer.from(signature))
  const body = rawBody.toString()
  for (const secret of secrets) {
    const expected = Buffer.from(new Webhook(secret).sign(id, new Date(Number(timestamp) * 1000), body))
    if (given.some(signature => signature.length === expected.length && timingSafeEqual(signature, expected))) return id
  }
  throw new Problem('proof_refused')
}
