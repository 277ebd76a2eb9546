import type { Contact } from '../adapters/fetch-manifest.ts'
import { type AdapterKind, type Connectors, serviceConnector } from '../adapters/kinds.ts'
import type { Identity, Manifest } from '../adapters/protocol.ts'
import type { Clock } from '../platform/clock.ts'
import type { Outbound } from '../platform/outbound.ts'
import type { CallbackPost } from './callback-post.ts'
import type { Check } from './check.ts'
import { BATCH_CHECKS } from './checks/batches.ts'
import { CHANGE_CHECKS } from './checks/changes.ts'
import { COPY_CHECKS } from './checks/copies.ts'
import { CORRECTION_CHECKS } from './checks/corrections.ts'
import { ERASURE_CHECKS } from './checks/erasure.ts'
import { CHANGE_GIVING_UP_CHECKS, GIVING_UP_CHECKS } from './checks/giving-up.ts'
import { IDENTITY_CHECKS } from './checks/identities.ts'
import { PROMISE_CHECKS } from './checks/promises.ts'
import { QUESTION_CHECKS } from './checks/questions.ts'
import { SIGNATURE_CHECKS } from './checks/signatures.ts'
import { judge, judgeIfPossible, objectionOf } from './judge.ts'
import { createPace } from './pace.ts'
import { nobodyOf, understoodBy } from './people.ts'
import { openProbe } from './probe.ts'
import type { Checked, Report } from './report.ts'
import { openWire } from './wire.ts'

export interface CheckDeps {
  outbound: Pick<Outbound, 'request' | 'examine' | 'keepsFiles'>
  clock: Clock
  /** For other kinds than `service`, which is asked with `outbound` alone. */
  connectors?: Partial<Connectors>
  /** Where it can call back to; without it nobody looks at how it calls back. */
  callbacks?: CallbackPost
}

export interface CheckInput {
  /** Two people with data there. Whoever is `known` is changed and erased where `destructive` says so; `other` never is. */
  subjects?: { known?: readonly Identity[]; other?: readonly Identity[] }
  destructive: boolean
  /** How long a promised answer is waited for. Milliseconds; a minute unless told. */
  patienceMs?: number
}

const MANIFEST = {
  id: 'manifest',
  title: 'It tells what it holds and can do, in a manifest that can be used',
  reference: 'openapi/adapter.yaml, Manifest',
}

/** In this order: what changes something comes last, and what takes it away at the very end. */
const CHECKS: readonly Check[] = [
  ...QUESTION_CHECKS,
  ...COPY_CHECKS,
  ...IDENTITY_CHECKS,
  ...PROMISE_CHECKS,
  ...BATCH_CHECKS,
  ...GIVING_UP_CHECKS,
  ...CHANGE_CHECKS,
  ...CORRECTION_CHECKS,
  ...CHANGE_GIVING_UP_CHECKS,
  ...ERASURE_CHECKS,
]

/** Of these only what they tell is looked at: an answer takes them days, and whom they are asked about is erased there for good. */
const ANSWER_IN_DAYS: ReadonlySet<AdapterKind> = new Set(['opendsr'])

/**
 * Holds an adapter against the protocol: asks as the service asks, and as it must not be asked, and says of each rule whether it is
 * kept. Adapters of another kind than `service` are held to what does not depend on how they are called. Talks to the adapter, one
 * call at a time but for one that is sent twice at once, for as long as it takes; never throws for what an adapter does, and keeps nothing of what it is told.
 */
export async function checkAdapter(
  deps: CheckDeps,
  contact: Contact & { kind: AdapterKind },
  { subjects: { known = [], other = [] } = {}, destructive, patienceMs = 60_000 }: CheckInput,
): Promise<Report> {
  const { kind } = contact
  const said: string[] = []
  const pace = createPace()
  const outbound = overheard(deps.outbound, said)
  const connector = kind === 'service' ? serviceConnector({ ...deps, outbound }) : deps.connectors?.[kind]
  if (!connector) throw new Error(`Adapters of kind '${kind}' cannot be checked here.`)
  const somebody = known.length > 0 ? known : nobodyOf(['user_id', 'email'])
  const wire = openWire({ outbound, clock: deps.clock, pace: pace.next, said }, contact, somebody)
  const checks: Checked[] = []

  if (kind === 'service') for (const check of SIGNATURE_CHECKS) checks.push(await judge(check, () => check.run(wire)))
  const told: { manifest?: Manifest } = {}
  const readManifest = async () => {
    const manifest = await connector.manifest(contact).catch(error => Promise.reject(objectionOf(error)))
    told.manifest = manifest
    return `${manifest.name}: ${manifest.datasets.length} datasets; ${manifest.actions.join(', ')}.`
  }
  checks.push(await judge(MANIFEST, readManifest))
  const { manifest } = told
  if (manifest) {
    pace.keepTo(manifest.limits)
    const types = manifest.identityTypes.map(({ type }) => type)
    const probe = openProbe({
      ...{ connector, contact, manifest, wire, said, patienceMs, clock: deps.clock, callbacks: deps.callbacks, pace: pace.next },
      known: understoodBy(manifest, known),
      other: understoodBy(manifest, other),
      nobody: understoodBy(manifest, nobodyOf(types, known)),
    })
    for (const check of ANSWER_IN_DAYS.has(kind) ? [] : CHECKS) {
      const checked = await judgeIfPossible(probe, check, { kind, destructive })
      if (checked) checks.push(checked)
    }
  }
  const passed = manifest !== undefined && checks.every(({ outcome }) => outcome === 'passed' || outcome === 'not_applicable')
  return { adapter: manifest?.name ?? null, protocol: 'dsar-adapter/1', at: deps.clock.now().toISOString(), passed, checks }
}

/** Notes the addresses that an adapter has us call: those of promised answers and of files. */
function overheard<O extends Pick<Outbound, 'request'>>(outbound: O, said: string[]): O {
  return {
    ...outbound,
    request(call: Parameters<Outbound['request']>[0]) {
      if (call.method === 'GET') said.push(call.url)
      return outbound.request(call)
    },
  }
}
