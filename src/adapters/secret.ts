import { randomBytes } from 'node:crypto'
import { Type } from 'typebox'

/** What either side signs with (Standard Webhooks). */
export const Secret = Type.String({
  pattern: '^whsec_[A-Za-z0-9+/]{32,88}={0,2}$',
  description: 'Standard Webhooks. Can be written, never read back.',
})

/** 24 random bytes behind `whsec_`. */
export const newSecret = (): string => `whsec_${randomBytes(24).toString('base64')}`
