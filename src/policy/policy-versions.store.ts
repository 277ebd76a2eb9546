import { isDeepStrictEqual } from 'node:util'
import type { Tx } from '../platform/database.ts'
import type { Policy } from './policy.ts'

export interface PolicyVersion {
  version: string
  /** When this service first ran under it. */
  since: Date
}

/**
 * Keeps the policy in force among all there were. The text of a version never changes: old answers were given under it.
 * @returns whether what is kept under this version is this policy
 */
export async function keepPolicy(read: Tx, policy: Policy, now: Date): Promise<boolean> {
  await read.query('INSERT INTO policy_version (version, document, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [
    policy.version,
    JSON.stringify(policy),
    now,
  ])
  return isDeepStrictEqual(await policyOf(read, policy.version), JSON.parse(JSON.stringify(policy)))
}

export async function policyOf(read: Tx, version: string): Promise<Policy | undefined> {
  const [row] = await read.query<{ document: Policy }[]>('SELECT document FROM policy_version WHERE version = $1', [version])
  return row?.document
}

/** Every version there was, the newest first. */
export async function policyVersions(read: Tx): Promise<PolicyVersion[]> {
  return read.query('SELECT version, since FROM policy_version ORDER BY version DESC')
}
