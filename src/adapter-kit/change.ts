import type { AdapterDefinition, Call, DatasetDefinition, Effects, Found, Outcome } from './definition.ts'
import { type DatasetOutcome, EFFECT_ACTIONS, type EffectAction, type RecipientOutcome, type Result } from './protocol.ts'
import { isTask } from './task.ts'

type Change = Call<EffectAction>
type Done = Readonly<Record<string, Outcome>>

export const changes = (call: Call): call is Change => EFFECT_ACTIONS.some(action => action === call.task.action)

/**
 * Does what a task changes, or says what it would change, with the author's functions. Datasets that the action does not
 * concern have nothing to be changed; those it concerns and that nothing was written for say that it is not supported.
 * @throws Error when the author's function says nothing of a dataset, or speaks of one that it was not asked about
 */
export async function change<Person extends Found>(
  { datasets, perform }: AdapterDefinition<Person>,
  person: Person,
  { task, signal }: Change,
): Promise<Pick<Result, 'datasets' | 'recipients'>> {
  const { action, scope, dryRun } = task
  const concerned = Object.entries(datasets).filter(
    ([name, dataset]) => scope.datasets.includes(name) && concerns(task, name, dataset),
  )
  const names = concerned.map(([name]) => name)
  const call: Change = { task: { ...task, scope: { datasets: names } }, signal }
  const whole = !dryRun && run(perform, action, person, call)
  const done = whole ? await whole : await oneByOne(concerned, dryRun && perform?.[action] !== undefined, person, call)

  const missing = names.filter(name => done[name] === undefined)
  if (missing.length > 0) throw new Error(`'${action}' gave no outcome for ${missing.join(', ')}.`)
  const others = Object.keys(done).filter(name => !names.includes(name))
  if (others.length > 0) throw new Error(`'${action}' was not asked about ${others.join(', ')}.`)
  const recipients = recipientsOf(done)
  return {
    datasets: scope.datasets.map(name => outcomeOf(name, done[name] ?? 0)),
    ...(recipients.length > 0 && { recipients }),
  }
}

/** Whether there can be anything to do, by what the dataset says of itself. */
function concerns<Person>(task: Change['task'], name: string, dataset: DatasetDefinition<Person>): boolean {
  if (isTask('rectify', task)) return task.parameters.corrections.some(correction => correction.dataset === name)
  if (isTask('object', task)) return dataset.purposes.some(purpose => task.parameters.purposes.includes(purpose))
  if (isTask('withdraw_consent', task)) {
    const { purposes, cookies } = task.parameters
    const meant = cookies.length > 0 || dataset.purposes.some(purpose => purposes.includes(purpose))
    return meant && (dataset.withdraw_consent !== undefined || dataset.legalBases.includes('consent'))
  }
  return true
}

async function oneByOne<Person>(
  datasets: readonly (readonly [name: string, dataset: DatasetDefinition<Person>])[],
  foreseenAsWhole: boolean,
  person: Person,
  call: Change,
): Promise<Done> {
  const { action, dryRun } = call.task
  const done: Record<string, Outcome> = {}
  for (const [name, dataset] of datasets) {
    const own = ownCall(name, call)
    const supported = foreseenAsWhole || dataset[action] !== undefined
    if (!supported) done[name] = { outcome: 'not_supported' }
    else if (dryRun) done[name] = (await run(dataset.foresee, action, person, own)) ?? (await dataset.count(person, own))
    else done[name] = (await run(dataset, action, person, own)) ?? { outcome: 'not_supported' }
  }
  return done
}

/** What one dataset is told: of all corrections only its own. */
function ownCall(name: string, { task, signal }: Change): Change {
  const own = { ...task, scope: { datasets: [name] } }
  if (!isTask('rectify', task)) return { task: own, signal }
  const corrections = task.parameters.corrections.filter(({ dataset }) => dataset === name)
  return { task: { ...own, parameters: { corrections } }, signal }
}

/** Undefined where the author wrote no such function. Generic, so that the compiler sees that call and function belong together. */
function run<A extends EffectAction, Person, Given>(
  effects: Effects<Person, Given> | undefined,
  action: A,
  person: Person,
  call: Call<A>,
): Given | Promise<Given> | undefined {
  return effects?.[action]?.(person, call)
}

export function outcomeOf(name: string, given: Outcome): DatasetOutcome {
  if (typeof given === 'number') return { name, count: given, outcome: given > 0 ? 'completed' : 'no_data' }
  const { recipients: _recipients, ...outcome } = given
  return { name, ...outcome }
}

/** Each is named once: as not reached, if any dataset of theirs says so. */
function recipientsOf(done: Done): RecipientOutcome[] {
  const told = Object.values(done).flatMap(given => (typeof given === 'number' ? [] : (given.recipients ?? [])))
  const byName = Map.groupBy(told, ({ name }) => name)
  return [...byName].map(([name, outcomes]) => ({
    name,
    outcome: outcomes.find(({ outcome }) => outcome !== 'acknowledged')?.outcome ?? 'acknowledged',
  }))
}
