import type { Check, Finding } from '../check.ts'
import type { Pile } from '../gather.ts'
import { insist } from '../objection.ts'
import { EFFECTS, parametersFor } from '../parameters.ts'
import type { ActionName, Probe, Result } from '../probe.ts'

type Simple = Exclude<(typeof EFFECTS)[number], 'rectify'>

const simple = ({ manifest }: Probe): Simple[] =>
  EFFECTS.filter((action): action is Simple => action !== 'rectify' && manifest.actions.includes(action))

const samePiles = (before: ReadonlyMap<string, Pile>, after: ReadonlyMap<string, Pile>): boolean =>
  before.size === after.size && [...before].every(([name, { print }]) => after.get(name)?.print === print)

/** Neither a dry change nor a dry copy does anything, and each says what would be done. */
async function dryRunsChangeNothing(probe: Probe): Promise<Finding> {
  const before = await probe.collect(probe.known)
  for (const action of ['collect', ...simple(probe)] as const) {
    const parameters = action === 'collect' ? {} : parametersFor(probe.manifest, action)
    const answer = await probe.change(probe.task(action, probe.known, { dryRun: true, parameters }))
    insist(answer, `A dry ${action} does not know the known person.`)
    insist(samePiles(before, await probe.collect(probe.known)), `A dry ${action} changed what is held.`)
  }
  return 'Everything is as it was.'
}

async function nobodyIsChanged(probe: Probe): Promise<Finding> {
  const before = await probe.collect(probe.known)
  for (const action of simple(probe)) {
    const answer = await probe.change(probe.task(action, probe.nobody, { parameters: parametersFor(probe.manifest, action) }))
    insist(!answer, `${action} of somebody who does not exist was answered as done, not with 204.`)
  }
  insist(samePiles(before, await probe.collect(probe.known)), 'A change asked for nobody changed what is held of somebody.')
  return `204 to ${simple(probe).join(', ') || 'everything'}.`
}

/** @returns the outcomes that a person would have to look at, as a remark */
function remarkOn(action: string, { datasets }: Result): string {
  const wrong = datasets.filter(({ outcome }) => ['failed', 'cancelled', 'partially_completed'].includes(outcome))
  insist(wrong.length === 0, `${action} came to '${wrong[0]?.outcome}' for '${wrong[0]?.name}'.`)
  const undone = datasets.filter(({ outcome }) => outcome === 'refused' || outcome === 'not_supported')
  return undone.length > 0 ? ` Left to people: ${undone.map(({ name, outcome }) => `${name} (${outcome})`).join(', ')}.` : ''
}

/** Done twice it has the effect of once, and nothing of it takes data away. */
const answersFor =
  (actions: readonly Simple[]) =>
  async (probe: Probe): Promise<Finding> => {
    const before = await probe.locate(probe.known)
    let remarks = ''
    for (const action of actions.filter(each => probe.manifest.actions.includes(each)))
      for (const again of [false, true]) {
        const task = probe.task(action, probe.known, { parameters: parametersFor(probe.manifest, action) })
        const answer = await probe.change(task)
        insist(answer, `${action} does not know the known person.`)
        const remark = remarkOn(action, answer)
        if (!again) remarks += remark
      }
    const after = await probe.locate(probe.known)
    for (const [name, count] of before)
      insist((after.get(name) ?? 0) >= count, `'${name}' held ${count} before ${actions.join(' and ')}, and less afterwards.`)
    return `Answered for every dataset, twice.${remarks}`
  }

const EFFECT = 'openapi/adapter.yaml, POST /tasks'
const changes = { person: 'known', destructive: true } as const
const check = (id: string, title: string, article: string, actions: readonly [ActionName & Simple, ...Simple[]]): Check => ({
  id,
  title,
  reference: `${EFFECT}; ${article}`,
  needs: { ...changes, action: actions[0] },
  run: answersFor(actions),
})

export const CHANGE_CHECKS: readonly Check[] = [
  { id: 'dry_run', title: 'A dry run changes nothing', reference: EFFECT, needs: changes, run: dryRunsChangeNothing },
  {
    id: 'nobody_changed',
    title: 'A change asked for somebody who is not known is a 204 and changes nothing',
    reference: EFFECT,
    needs: changes,
    run: nobodyIsChanged,
  },
  check('restricted', 'A restriction, and its end, are answered for every dataset', 'Art. 18 GDPR', [
    'restrict',
    'lift_restriction',
  ]),
  check('objected', 'An objection is answered for every dataset', 'Art. 21 GDPR', ['object']),
  check('consent_withdrawn', 'The end of a consent is answered for every dataset', 'Art. 7(3) GDPR', ['withdraw_consent']),
]
