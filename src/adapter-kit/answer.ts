import { change, changes, outcomeOf } from './change.ts'
import type { AdapterDefinition, Call, Found } from './definition.ts'
import type { LinkedFile } from './file-links.ts'
import type { DatasetOutcome, Identity, Resolved, ResolveResult, Result, Task } from './protocol.ts'
import { ndjson } from './stream.ts'

/** What a task leads to. A stream is described, not held: it is read anew each time it is asked for. */
export type Answer =
  | { kind: 'unknown' }
  | { kind: 'result'; body: Result | ResolveResult }
  | { kind: 'stream'; read(signal: AbortSignal, link: (file: LinkedFile) => string): AsyncIterable<Buffer> }

/** Does what the task asks for, with the author's functions, and keeps the promises that every answer must keep. */
export async function answer<Person extends Found>(definition: AdapterDefinition<Person>, call: Call): Promise<Answer> {
  const { task } = call
  const { identities } = task.subject
  if (task.action === 'resolve') {
    const resolved = await definition.resolve?.(identities, call)
    if (!resolved) return { kind: 'unknown' }
    onlyAsked(resolved.matched, task)
    return { kind: 'result', body: { ...resolved, ...withheld(resolved), taskId: task.taskId } }
  }
  const person = await definition.find(identities, call)
  if (!person) return { kind: 'unknown' }
  onlyAsked(person.matched, task)
  if (task.action === 'collect' && !task.dryRun) return collect(definition, person, call)
  const done = changes(call) ? await change(definition, person, call) : { datasets: await locate(definition, person, call) }
  return { kind: 'result', body: { taskId: task.taskId, matched: person.matched, ...done } }
}

/** What must not be told unless one person is meant for certain and is themself: whatever the author wrote. */
function withheld({ status }: Resolved): Partial<Resolved> {
  if (status === 'hold') return { contactPoints: [], identities: [] }
  return status === 'suspected_fraud' ? { contactPoints: [] } : {}
}

async function collect<Person extends Found>(definition: AdapterDefinition<Person>, person: Person, call: Call): Promise<Answer> {
  await definition.prepare?.(person, call)
  const datasets = Object.entries(definition.datasets).filter(([name]) => call.task.scope.datasets.includes(name))
  return {
    kind: 'stream',
    read: (signal, link) => ndjson({ datasets, person, matched: person.matched, call: { task: call.task, signal }, link }),
  }
}

/** A dry `collect` says what would be handed over: the same as `locate`. */
function locate<Person extends Found>(
  { datasets }: AdapterDefinition<Person>,
  person: Person,
  call: Call,
): Promise<DatasetOutcome[]> {
  const located = async (name: string) => outcomeOf(name, (await datasets[name]?.count(person, call)) ?? 0)
  return Promise.all(call.task.scope.datasets.map(located))
}

/** Somebody else's data must never leave: an identity nobody asked about is the sign of a wrong match. */
function onlyAsked(matched: readonly Identity[], { subject }: Task): void {
  const asked = (one: Identity) => subject.identities.some(({ type, value }) => type === one.type && value === one.value)
  if (matched.length === 0 || !matched.every(asked))
    throw new Error('`matched` names some of the identities asked about, and no others.')
}
