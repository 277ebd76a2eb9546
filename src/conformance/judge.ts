import type { AdapterKind } from '../adapters/kinds.ts'
import { Problem } from '../domain/problem.ts'
import type { Check, Finding } from './check.ts'
import { Objection } from './objection.ts'
import type { Probe } from './probe.ts'
import type { Checked } from './report.ts'

type Named = Omit<Checked, 'outcome' | 'detail'>

/** Runs one check. What is thrown and is no objection is our own trouble, and the caller's to hear. */
export async function judge({ id, title, reference }: Named, run: () => Promise<Finding>): Promise<Checked> {
  try {
    const finding = await run()
    return typeof finding === 'string'
      ? { id, title, outcome: 'passed', detail: finding, reference }
      : { id, title, outcome: 'not_applicable', detail: finding.notApplicable, reference }
  } catch (error) {
    if (!(error instanceof Objection)) throw error
    return { id, title, outcome: 'failed', detail: error.message, reference }
  }
}

/** The same, unless there is nothing to look at, or something has to be given first. */
export async function judgeIfPossible(
  probe: Probe,
  check: Check,
  { kind, destructive }: { kind: AdapterKind; destructive: boolean },
): Promise<Checked | undefined> {
  const { needs = {}, id, title, reference } = check
  if (needs.wire && kind !== 'service') return undefined
  if (kind === 'pull' || kind === 'manual')
    return judge(check, async () => ({
      notApplicable: 'Nobody is called: its tasks are handed over, and its answers judged as they come.',
    }))
  if (needs.action && !probe.manifest.actions.includes(needs.action))
    return judge(check, async () => ({ notApplicable: `Its manifest does not say that it does '${needs.action}'.` }))
  if (needs.person && probe.manifest.datasets.length === 0)
    return judge(check, async () => ({ notApplicable: 'It holds nothing of anybody.' }))
  const missing = missingFor(probe, check, destructive)
  if (missing.length > 0) return { id, title, outcome: 'skipped', detail: `Give ${missing.join(', and ')}.`, reference }
  return judge(check, () => check.run(probe))
}

function missingFor({ manifest, known, other }: Probe, { needs = {} }: Check, destructive: boolean): string[] {
  const types = manifest.identityTypes.map(({ type }) => type).join(' or ')
  return [
    ...(needs.person && known.length === 0 ? [`the ${types} of a person with data there (known)`] : []),
    ...(needs.person === 'both' && other.length === 0 ? [`the ${types} of another person with data there (other)`] : []),
    ...(needs.destructive && !destructive ? ['leave to change and erase the known person (destructive)'] : []),
  ]
}

/** What is wrong with a manifest, as an objection. */
export function objectionOf(error: unknown): unknown {
  if (!(error instanceof Problem)) return error
  const faults = error.errors.slice(0, 5).map(({ pointer, detail }) => `${pointer} ${detail}`)
  return new Objection([error.detail ?? error.title, ...faults].join(' '))
}
