import { setTimeout as sleep } from 'node:timers/promises'
import type { Correction } from '../../adapters/protocol.ts'
import { LOST } from '../../adapters/trouble.ts'
import type { Check, Finding } from '../check.ts'
import { insist } from '../objection.ts'
import type { Probe } from '../probe.ts'
import { candidates, correct, firstMade, lookAt, NOTHING_TO_CORRECT } from './corrections.ts'
import { AT_ONCE, kept, locationIn, promiseOf } from './promises.ts'

/** What was said to be given up, and goes on all the same, has this long to show. */
const AFTERWARDS_MS = 1000

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

const putBack = (probe: Probe, { from, to, ...where }: Correction) => correct(probe, { ...where, from: to, to: from })

/** Has it promise a correction that it makes, and gives it up at once. */
async function changesAreGivenUpOrMade(probe: Probe): Promise<Finding> {
  const { wire, manifest, known } = probe
  const made = await firstMade(probe, candidates(probe, await probe.collect(known)))
  if (!made) return NOTHING_TO_CORRECT
  const { correction } = made
  await putBack(probe, correction)
  const asked = { scope: { datasets: [correction.dataset] }, parameters: { corrections: [correction] } }
  const heard = await wire.post(probe.task('rectify', known, asked), { headers: { prefer: 'respond-async' } })
  const location = heard.status === 202 ? locationIn(wire, heard) : undefined
  const status = location && (await wire.send(location, undefined, { method: 'DELETE' })).status
  if (location && status !== 204) await kept(probe, location)
  if (status === 204) await sleep(AFTERWARDS_MS)
  const { right } = await lookAt(probe, correction)
  if (right > 0) await putBack(probe, correction)
  if (!status) return AT_ONCE
  insist(status === 204 || status === 409, `A promised change, given up, was answered with ${status} instead of 204 or 409.`)
  insist(status === 409 || manifest.cancellable, 'A change was given up, and the manifest does not say that it can be.')
  insist(status === 409 || right === made.before.right, 'A change was said to be given up, and was made.')
  insist(status === 204 || right > 0, 'A change was said not to be stopped any more, and was not made.')
  return status === 204 ? 'Given up, and nothing came of it.' : 'It could not be stopped, and was made.'
}

export const CHANGE_GIVING_UP_CHECKS: readonly Check[] = [
  {
    id: 'change_given_up',
    title: 'A promised change that is given up either is not made, or is said not to be stopped any more',
    reference: 'openapi/adapter.yaml, DELETE /tasks/{promise}',
    needs: { wire: true, action: 'rectify', person: 'known', destructive: true },
    run: changesAreGivenUpOrMade,
  },
]

export const GIVING_UP_CHECKS: readonly Check[] = [
  {
    id: 'given_up',
    title: 'A promised reading can be given up, and its location is no more',
    reference: 'openapi/adapter.yaml, DELETE /tasks/{promise}',
    needs: { wire: true, person: 'known' },
    run: promisesCanBeGivenUp,
  },
]
