import type { Check, Finding } from '../check.ts'
import type { Pile } from '../gather.ts'
import { insist, Objection } from '../objection.ts'
import { parametersFor } from '../parameters.ts'
import type { Probe, Result } from '../probe.ts'

type Piles = ReadonlyMap<string, Pile>

/** What happened when the known person was erased, first one dataset, then all. */
interface Erasure {
  before: Piles
  /** The one dataset that was erased alone; undefined where there is only one with data. */
  alone: string | undefined
  afterAlone: Piles
  othersBefore: Piles
  othersAfter: Piles
  first: Result | undefined
  /** What the same task, sent again, was answered. */
  replayed: Result | undefined | Objection
  /** What is located in the end, and what is collected. */
  left: ReadonlyMap<string, number>
  afterwards: Piles
  /** What the erasure of the one dataset was answered, sent twice at the same time. */
  together: readonly (Result | undefined)[]
}

const erasures = new WeakMap<Probe, Promise<Erasure>>()

/** It can be done once only, and several checks look at it. */
function erasureIn(probe: Probe): Promise<Erasure> {
  const erasure = erasures.get(probe) ?? erase(probe)
  erasures.set(probe, erasure)
  return erasure
}

const eraseTask = (probe: Probe, scope?: { datasets: string[] }) =>
  probe.task('erase', probe.known, { parameters: parametersFor(probe.manifest, 'erase'), ...(scope && { scope }) })

async function erase(probe: Probe): Promise<Erasure> {
  const { known, other } = probe
  const [before, othersBefore] = [await probe.collect(known), await probe.collect(other)]
  const alone = before.size > 1 ? [...before.keys()].at(-1) : undefined
  const aloneTask = eraseTask(probe, { datasets: alone ? [alone] : [] })
  const atATime = Math.min(2, probe.manifest.limits.concurrency)
  const together = await Promise.all(Array.from({ length: alone ? atATime : 0 }, () => probe.change(aloneTask)))
  const afterAlone = alone ? await probe.collect(known) : before
  const task = eraseTask(probe)
  const first = await probe.change(task)
  const replayed = await probe.change({ ...task, attempt: 2 }).catch(error => {
    if (error instanceof Objection) return error
    throw error
  })
  const [left, afterwards, othersAfter] = [await probe.locate(known), await probe.collect(known), await probe.collect(other)]
  return { before, alone, together, afterAlone, othersBefore, othersAfter, first, replayed, left, afterwards }
}

async function onlyTheScopeIsErased(probe: Probe): Promise<Finding> {
  const { alone, before, afterAlone } = await erasureIn(probe)
  if (!alone) return { notApplicable: 'Only one dataset has anything of the known person.' }
  for (const [name, { print }] of before)
    if (name !== alone)
      insist(afterAlone.get(name)?.print === print, `'${alone}' was erased alone, and '${name}' changed with it.`)
  return `'${alone}' was erased alone, and all else is as it was.`
}

async function othersAreUntouched(probe: Probe): Promise<Finding> {
  const { othersBefore, othersAfter } = await erasureIn(probe)
  insist(othersBefore.size > 0, 'Nothing is collected of the other person: give one who has data there.')
  for (const [name, { print }] of othersBefore)
    insist(othersAfter.get(name)?.print === print, `One person was erased, and '${name}' of another changed.`)
  return 'What is held of the other person is the same, byte by byte.'
}

async function erasedIsGone(probe: Probe): Promise<Finding> {
  const { first, left, afterwards } = await erasureIn(probe)
  insist(first, 'The known person was asked to be erased, and is said not to be known.')
  for (const { name, outcome, count = 0 } of first.datasets) {
    const still = left.get(name) ?? 0
    insist(outcome !== 'failed' && outcome !== 'cancelled', `The erasure of '${name}' came to '${outcome}'.`)
    if (outcome === 'completed' || outcome === 'no_data')
      insist(still === 0, `'${name}' is said to be erased, and ${still} are still located.`)
    if (outcome === 'retained') insist(still === count, `'${name}' keeps ${count}, and ${still} are located.`)
    const { records = 0, files = 0 } = afterwards.get(name) ?? {}
    insist(records + files === still, `'${name}': ${still} located after the erasure, and ${records + files} collected.`)
  }
  return first.datasets.map(({ name, outcome, until }) => `${name}: ${outcome}${until ? ` until ${until}` : ''}`).join(', ')
}

async function replayHasOneEffect(probe: Probe): Promise<Finding> {
  const { first, replayed } = await erasureIn(probe)
  if (replayed instanceof Objection) throw replayed
  insist(
    JSON.stringify(replayed) === JSON.stringify(first),
    'The same erasure, sent again under its key, was answered differently.',
  )
  return 'The same task sent again, answered the same.'
}

async function atOnceHasOneEffect(probe: Probe): Promise<Finding> {
  const { together } = await erasureIn(probe)
  const [one, other] = together
  if (together.length < 2)
    return { notApplicable: 'It takes one call at a time, or only one dataset has anything of the known person.' }
  insist(
    JSON.stringify(one) === JSON.stringify(other),
    'The same erasure, sent twice at the same time, was answered differently.',
  )
  return 'The same task sent twice at the same time, answered the same.'
}

async function twiceIsFine(probe: Probe): Promise<Finding> {
  await erasureIn(probe)
  const again = await probe.change(eraseTask(probe))
  const wrong = again?.datasets.find(({ outcome }) => outcome === 'failed' || outcome === 'cancelled')
  insist(!wrong, `Erasing who is erased already came to '${wrong?.outcome}' for '${wrong?.name}'.`)
  return again ? 'Answered once more.' : 'Not known any more.'
}

const needs = { action: 'erase', person: 'both', destructive: true } as const
const reference = 'openapi/adapter.yaml, erase; Art. 17 GDPR'

export const ERASURE_CHECKS: readonly Check[] = [
  {
    id: 'erased_in_scope',
    title: 'An erasure of one dataset leaves the others',
    reference,
    needs,
    run: onlyTheScopeIsErased,
  },
  { id: 'erased_is_gone', title: 'What is said to be erased is not located any more', reference, needs, run: erasedIsGone },
  { id: 'others_untouched', title: 'Nobody else’s data change', reference, needs, run: othersAreUntouched },
  {
    id: 'erase_replayed',
    title: 'An erasure sent again under its key is answered the same',
    reference: `openapi/adapter.yaml, Retries; Art. 17 GDPR`,
    needs,
    run: replayHasOneEffect,
  },
  {
    id: 'erased_at_once',
    title: 'An erasure sent twice at the same time is done once',
    reference: `openapi/adapter.yaml, Retries; Art. 17 GDPR`,
    needs,
    run: atOnceHasOneEffect,
  },
  { id: 'erased_twice', title: 'Erasing twice does no harm', reference, needs, run: twiceIsFine },
]
