import type { IncomingHttpHeaders } from 'node:http'
import { Webhook, WebhookVerificationError } from 'standardwebhooks'
import { TaskProblem } from './problem.ts'

/** The three headers of Standard Webhooks. */
export interface SignatureHeaders {
  'webhook-id': string
  'webhook-timestamp': string
  'webhook-signature': string
}

export interface Signer {
  /** @throws TaskProblem 401 unless one of our secrets signed exactly this body within the last five minutes. */
  verify(headers: IncomingHttpHeaders, body: string): void
  /** Signs with every secret, so that the other side may still know only the old one. */
  sign(id: string, at: Date, body: string): SignatureHeaders
}

/** @throws Error for a secret that isn't `whsec_` with 24 to 64 bytes in base64. */
export function createSigner(secrets: readonly string[]): Signer {
  if (secrets.length === 0) throw new Error('An adapter needs at least one secret.')
  const webhooks = secrets.map(webhookOf)
  return {
    verify(headers, body) {
      if (!webhooks.some(webhook => signed(webhook, headers, body)))
        throw new TaskProblem(
          401,
          'not_authenticated',
          'The call is not signed, or not with a secret known here, or too long ago.',
        )
    },
    sign: (id, at, body) => ({
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': webhooks.map(webhook => webhook.sign(id, at, body)).join(' '),
    }),
  }
}

function webhookOf(secret: string): Webhook {
  const bytes = Buffer.from(secret.slice('whsec_'.length), 'base64').length
  if (!secret.startsWith('whsec_') || bytes < 24 || bytes > 64)
    throw new Error('A secret is "whsec_" followed by 24 to 64 random bytes in base64.')
  return new Webhook(secret)
}

function signed(webhook: Webhook, headers: IncomingHttpHeaders, body: string): boolean {
  const header = (name: keyof SignatureHeaders): string => String(headers[name] ?? '')
  const signature = {
    'webhook-id': header('webhook-id'),
    'webhook-timestamp': header('webhook-timestamp'),
    'webhook-signature': header('webhook-signature'),
  }
  try {
    webhook.verify(body, signature, { jsonParse: false })
    return true
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false
    throw error
  }
}
