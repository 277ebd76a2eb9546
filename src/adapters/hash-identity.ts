import { createHash } from 'node:crypto'
import type { Identity } from './protocol.ts'

/** Lower-case hex of the SHA-256, of an e-mail address in lower case: what an adapter keeps that was never to know the address. */
export function hashed(type: string, value: string): Identity {
  const plain = type === 'email' ? value.toLowerCase() : value
  return { type, value: createHash('sha256').update(plain).digest('hex'), format: 'sha256' }
}
