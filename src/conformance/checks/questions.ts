import { randomUUID } from 'node:crypto'
import type { Check, Finding } from '../check.ts'
import { insist } from '../objection.ts'
import type { Probe } from '../probe.ts'
import { bareTask } from '../wire.ts'

const RETRIES = 'openapi/adapter.yaml, Retries'
const TASKS = 'openapi/adapter.yaml, POST /tasks'

/** What a call that cannot be done is answered with. */
const REFUSALS = new Set([400, 422])

async function nobodyIsUnknown(probe: Probe): Promise<Finding> {
  const asked = (['resolve', 'locate', 'collect'] as const).filter(action => probe.manifest.actions.includes(action))
  for (const action of asked) {
    const { kind } = await probe.ask(probe.task(action, probe.nobody), { record: nothing, file: nothing })
    insist(kind === 'unknown', `${action} of somebody who does not exist was answered as of somebody known, not with 204.`)
  }
  return `204 to ${asked.join(', ')}.`
}

/** Takes nothing of what is not to come. */
const nothing = async (): Promise<void> => {}

async function unknownActionIsRefused({ wire, somebody }: Probe): Promise<Finding> {
  const { status } = await wire.post(bareTask('forget_everything', somebody))
  insist(REFUSALS.has(status), `An action that does not exist was answered with ${status} instead of 422.`)
  return `Refused with ${status}.`
}

async function unknownDatasetIsRefused({ wire, manifest, somebody }: Probe): Promise<Finding> {
  const name = manifest.datasets.some(dataset => dataset.name === 'no_such_thing') ? 'no_such_thing_either' : 'no_such_thing'
  const { status } = await wire.post(bareTask('locate', somebody, { scope: { datasets: [name] } }))
  insist(REFUSALS.has(status), `A dataset that is not in the manifest was answered with ${status} instead of 422.`)
  return `Refused with ${status}.`
}

async function unknownFieldIsRefused({ wire, manifest, somebody }: Probe): Promise<Finding> {
  const dataset = manifest.datasets.find(({ fields }) => fields.length > 0)
  if (!dataset) return { notApplicable: 'No dataset names its fields.' }
  const corrections = [{ dataset: dataset.name, field: 'no such field', from: 'this', to: 'that' }]
  const task = bareTask('rectify', somebody, { dryRun: true, scope: { datasets: [dataset.name] }, parameters: { corrections } })
  const { status } = await wire.post(task)
  insist(
    REFUSALS.has(status),
    `A correction of a field that the dataset does not have was answered with ${status} instead of 422.`,
  )
  return `Refused with ${status}.`
}

async function keyIsTheTask({ wire, somebody }: Probe): Promise<Finding> {
  const { status } = await wire.post(bareTask('locate', somebody), { key: randomUUID() })
  insist(REFUSALS.has(status), `An Idempotency-Key that is not the task's id was answered with ${status} instead of 400.`)
  return `Refused with ${status}.`
}

async function keyIsNotReused({ wire, manifest, somebody }: Probe): Promise<Finding> {
  const datasets = manifest.datasets.map(({ name }) => name)
  const task = bareTask('locate', somebody, { scope: { datasets } })
  const first = await wire.post(task)
  insist([200, 202, 204].includes(first.status), `A locate was answered with ${first.status}.`)
  const { status } = await wire.post({ ...task, action: 'collect' })
  insist(status === 422, `The key of another task was answered with ${status} instead of 422.`)
  return 'The same key with another task: 422.'
}

/** What one task is answered does not depend on how often it is sent. */
async function replayIsTheSame(probe: Probe): Promise<Finding> {
  const task = probe.task('locate', probe.known)
  const [first, second] = [await probe.ask(task), await probe.ask({ ...task, attempt: 2 })]
  insist(JSON.stringify(first) === JSON.stringify(second), 'The same locate, sent twice, was answered differently.')
  const [once, twice] = [await probe.collect(probe.known), await probe.collect(probe.known)]
  for (const [name, { print }] of once)
    insist(twice.get(name)?.print === print, `'${name}', collected twice in a row, was not the same.`)
  return 'Sent twice, answered alike.'
}

export const QUESTION_CHECKS: readonly Check[] = [
  {
    id: 'unknown_person',
    title: 'Somebody who is not known there is a 204, and neither a fault nor an empty answer',
    reference: TASKS,
    run: nobodyIsUnknown,
  },
  {
    id: 'unknown_action',
    title: 'An action that does not exist is refused',
    reference: TASKS,
    needs: { wire: true },
    run: unknownActionIsRefused,
  },
  {
    id: 'unknown_dataset',
    title: 'A dataset that it does not hold is refused, not answered as empty',
    reference: TASKS,
    needs: { wire: true },
    run: unknownDatasetIsRefused,
  },
  {
    id: 'unknown_field',
    title: 'A correction of a field that the dataset does not have is refused',
    reference: TASKS,
    needs: { wire: true, action: 'rectify' },
    run: unknownFieldIsRefused,
  },
  {
    id: 'key_is_task',
    title: 'The Idempotency-Key, which nobody signed, can only repeat the id of the task',
    reference: RETRIES,
    needs: { wire: true },
    run: keyIsTheTask,
  },
  {
    id: 'key_reused',
    title: 'A key that stood for another task is refused',
    reference: RETRIES,
    needs: { wire: true },
    run: keyIsNotReused,
  },
  {
    id: 'replay',
    title: 'The same task sent again is answered the same',
    reference: RETRIES,
    needs: { person: 'known' },
    run: replayIsTheSame,
  },
]
