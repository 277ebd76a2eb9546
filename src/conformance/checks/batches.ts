import { endpoint } from '../../adapters/fetch-manifest.ts'
import type { Identity, TaskCall } from '../../adapters/protocol.ts'
import { isObject, type JsonObject } from '../../adapters/strict-json.ts'
import type { Check, Finding } from '../check.ts'
import { insist } from '../objection.ts'
import type { Probe } from '../probe.ts'
import type { Manner } from '../wire.ts'
import { countsIn, json, kept, locationIn } from './promises.ts'

const BATCHES = 'openapi/adapter.yaml, POST /batches'
const ONE_BY_ONE = { notApplicable: 'Its manifest does not say that it takes several tasks in one call.' }

const send = ({ wire }: Probe, tasks: readonly TaskCall[], manner?: Manner) =>
  wire.send(endpoint(wire.baseUrl, 'batches'), { tasks }, manner)

/** What each task was answered with in the end. */
async function answersTo(probe: Probe, tasks: readonly TaskCall[]): Promise<{ status: number; body: unknown }[]> {
  const heard = await send(probe, tasks)
  insist(heard.status === 200, `A batch of ${tasks.length} was answered with ${heard.status} instead of 200.`)
  const said = json(heard.text)
  const entries = isObject(said) && Array.isArray(said.answers) ? said.answers.filter(isObject) : []
  insist(entries.length === tasks.length, `A batch of ${tasks.length} was answered with ${entries.length} answers.`)
  return Promise.all(
    tasks.map(({ taskId }) => {
      const entry = entries.find(one => one.taskId === taskId)
      insist(entry, 'A batch was answered without one of its tasks.')
      return inTheEnd(probe, entry)
    }),
  )
}

async function inTheEnd(
  probe: Probe,
  { status, location, retryAfter, body }: JsonObject,
): Promise<{ status: number; body: unknown }> {
  insist(typeof status === 'number', 'An answer in a batch has no status.')
  if (status !== 202) return { status, body }
  const headers = { location: typeof location === 'string' ? location : undefined, 'retry-after': String(retryAfter) }
  const heard = await kept(probe, locationIn(probe.wire, { status, headers, text: '' }))
  return { status: heard.status, body: heard.status === 200 ? json(heard.text) : undefined }
}

/** A known person and nobody in one call, then one that cannot be looked for beside one that can: a batch may be as small as two. */
async function isAsAlone(probe: Probe): Promise<Finding> {
  const { manifest, known, nobody } = probe
  if (manifest.limits.batch < 2) return ONE_BY_ONE
  const locate = (identities: readonly Identity[]) => probe.task('locate', identities)
  const about = locate(known)
  const [found, unknown] = await answersTo(probe, [about, locate(nobody)])
  insist(found?.status === 200, `A locate in a batch was answered with ${found?.status} instead of 200.`)
  insist(isObject(found.body) && found.body.taskId === about.taskId, 'An answer in a batch does not name its task.')
  insist(unknown?.status === 204, `A locate of nobody in a batch was answered with ${unknown?.status} instead of 204.`)
  const alone = await probe.locate(known)
  const differs = countsIn(found.body).some(([name, count]) => (alone.get(name) ?? 0) !== count)
  insist(!differs, 'Counted in a batch there is another number than alone.')
  const types = manifest.identityTypes.map(({ type }) => type)
  const type = types.includes('no_such_kind') ? 'no_such_kind_either' : 'no_such_kind'
  const [refused, beside] = await answersTo(probe, [locate([{ type, value: 'nobody' }]), locate(known)])
  insist(refused?.status === 422, `What cannot be looked for was answered with ${refused?.status} in a batch instead of 422.`)
  insist(beside?.status === 200, `Beside a task that is refused, another was answered with ${beside?.status} instead of 200.`)
  return 'Four tasks in two calls, each answered as alone.'
}

async function unsignedIsRefused(probe: Probe): Promise<Finding> {
  if (probe.manifest.limits.batch < 2) return ONE_BY_ONE
  const { status } = await send(probe, [probe.task('locate', probe.somebody)], { secrets: [] })
  insist(status === 401, `A batch that nobody signed was answered with ${status} instead of 401.`)
  return 'Refused with 401.'
}

export const BATCH_CHECKS: readonly Check[] = [
  {
    id: 'batch_unsigned',
    title: 'Several tasks in one call that nobody signed are refused',
    reference: BATCHES,
    needs: { wire: true, action: 'locate' },
    run: unsignedIsRefused,
  },
  {
    id: 'batch',
    title: 'Several tasks in one call are each answered as they would be alone',
    reference: BATCHES,
    needs: { wire: true, action: 'locate', person: 'known' },
    run: isAsAlone,
  },
]
