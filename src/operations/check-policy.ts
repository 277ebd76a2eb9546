import { adaptersIn } from '../adapters/adapters.store.ts'
import type { Clock } from '../platform/clock.ts'
import type { Tx } from '../platform/database.ts'
import { checkManifest } from '../policy/check-manifest.ts'
import type { Policy } from '../policy/policy.ts'
import { keepPolicy } from '../policy/policy-versions.store.ts'
import { Unready } from './unready.ts'

/**
 * Makes sure that the policy fits what is here already: that its version has not been another text before, and that it still tells
 * people of all that the registered adapters hold. @throws Unready, naming every contradiction
 */
export async function checkPolicy({ policy, clock }: { policy: Policy; clock: Clock }, read: Tx): Promise<void> {
  const faults = (await adaptersIn(read, 'registered')).flatMap(({ name, manifest }) =>
    checkManifest(policy, manifest).map(({ pointer, detail }) => `adapter '${name}' ${pointer}: ${detail}`),
  )
  if (faults.length > 0) throw new Unready(`The privacy policy does not tell of what is registered:\n  ${faults.join('\n  ')}`)
  if (!(await keepPolicy(read, policy, clock.now())))
    throw new Unready(
      `POLICY_FILE: version ${policy.version} was another text before, and requests were answered under it. A changed policy is a new version.`,
    )
}
