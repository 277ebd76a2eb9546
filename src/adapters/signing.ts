import { isUtf8 } from 'node:buffer'
import { createHmac, timingSafeEqual } from 'node:crypto'
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
 * Verifies a signature over a body that is too long to be held, piece by piece. The lines before it are checked at once.
 * @throws Problem `proof_refused`, also from `verify`, which returns the id of the message
 */
export function verifierOf(
  secrets: Secrets,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  now: Date,
): { update(piece: Buffer): void; verify(): string } {
  const { id, timestamp, given } = signedBy(headers, now)
  const macs = secrets.map(secret =>
    createHmac('sha256', Buffer.from(secret.replace(/^whsec_/, ''), 'base64')).update(`${id}.${timestamp}.`),
  )
  return {
    update: piece => {
      for (const mac of macs) mac.update(piece)
    },
    verify() {
      if (macs.some(mac => isAmong(given, Buffer.from(`v1,${mac.digest('base64')}`)))) return id
      throw new Problem('proof_refused')
    },
  }
}

function signedBy(headers: Readonly<Record<string, string | string[] | undefined>>, now: Date) {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers
  const isComplete = typeof id === 'string' && typeof timestamp === 'string' && typeof signatures === 'string'
  if (!isComplete || !/^[\w-]{1,128}$/.test(id) || !/^\d{1,12}$/.test(timestamp)) throw new Problem('proof_refused')
  if (Math.abs(secondsOf(now) - Number(timestamp)) > TOLERANCE_SECONDS) throw new Problem('proof_refused')
  return { id, timestamp, given: signatures.split(' ').map(signature => Buffer.from(signature)) }
}

const isAmong = (given: readonly Buffer[], expected: Buffer): boolean =>
  given.some(signature => signature.length === expected.length && timingSafeEqual(signature, expected))

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
  const { id, timestamp, given } = signedBy(headers, now)
  if (!isUtf8(rawBody)) throw new Problem('proof_refused')
  const body = rawBody.toString()
  for (const secret of secrets) {
    const expected = Buffer.from(new Webhook(secret).sign(id, new Date(Number(timestamp) * 1000), body))
    if (isAmong(given, expected)) return id
  }
  throw new Problem('proof_refused')
}
