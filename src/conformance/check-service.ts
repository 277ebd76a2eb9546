import type { Identity } from '../adapters/protocol.ts'
import { systemClock } from '../platform/clock.ts'
import { createOutbound } from '../platform/outbound.ts'
import { openCallbackPost } from './callback-post.ts'
import { type CheckInput, checkAdapter } from './check-adapter.ts'
import type { Report } from './report.ts'

export type { Checked, Report } from './report.ts'
export { readable } from './report.ts'

export interface CheckServiceInput extends Omit<CheckInput, 'subjects'> {
  url: string
  /** `whsec_…`; two while one is being replaced. */
  secrets: readonly string[]
  known?: readonly Identity[]
  other?: readonly Identity[]
}

const isLoopback = ({ hostname }: URL): boolean => hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')

/**
 * Checks an adapter from outside of the service, e.g. in the tests of whoever writes it. One that runs on this machine can call back.
 * @throws Error where it cannot be checked at all
 */
export async function checkService({ url, secrets, known = [], other = [], ...input }: CheckServiceInput): Promise<Report> {
  const target = new URL(url)
  const outbound = createOutbound({ allowedHosts: [`${target.hostname}:${target.port || portOf(target)}`] })
  const callbacks = isLoopback(target) ? await openCallbackPost() : undefined
  try {
    return await checkAdapter(
      { outbound, clock: systemClock, ...(callbacks && { callbacks }) },
      { kind: 'service', baseUrl: url, secrets, credentials: {}, settings: {} },
      { ...input, subjects: { known, other } },
    )
  } finally {
    await callbacks?.close()
    await outbound.close()
  }
}

const portOf = ({ protocol }: URL): number => (protocol === 'https:' ? 443 : 80)
