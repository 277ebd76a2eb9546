import { LOST } from '../../adapters/trouble.ts'
import type { Check, Finding } from '../check.ts'
import { insist } from '../objection.ts'
import type { Probe } from '../probe.ts'
import { AT_ONCE, promiseOf } from './promises.ts'

/** Of a promised reading; a change is left to come to its end. */
async function promisesCanBeGivenUp(probe: Probe): Promise<Finding> {
  const promised = await promiseOf(probe, { calledBack: false })
  if (!promised) return AT_ONCE
  const { location } = promised
  const unsigned = await probe.wire.send(location, undefined, { method: 'DELETE', secrets: [] })
  insist(unsigned.status === 401, `An unsigned DELETE of a promised answer was answered with ${unsigned.status} instead of 401.`)
  const still = await probe.wire.send(location, undefined)
  insist(still.status === 200 || still.status === 202, `After an unsigned DELETE a promised answer was ${still.status}.`)
  const { status } = await probe.wire.send(location, undefined, { method: 'DELETE' })
  insist(status === 204, `A promised reading, given up, was answered with ${status} instead of 204.`)
  const after = await probe.wire.send(location, undefined)
  insist(LOST.has(after.status), `The location of a promise that was given up was answered with ${after.status} instead of 404.`)
  return 'Given up by a signed call alone, and not known any more.'
}

export const GIVING_UP_CHECKS: readonly Check[] = [
  {
    id: 'given_up',
    title: 'A promised reading can be given up, and its location is no more',
    reference: 'openapi/adapter.yaml, DELETE /tasks/{promise}',
    needs: { wire: true, person: 'known' },
    run: promisesCanBeGivenUp,
  },
]
