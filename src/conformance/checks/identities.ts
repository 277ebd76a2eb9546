import { hashed } from '../../adapters/hash-identity.ts'
import type { Identity } from '../../adapters/protocol.ts'
import type { Check, Finding } from '../check.ts'
import { insist } from '../objection.ts'
import type { Probe } from '../probe.ts'
import { bareTask } from '../wire.ts'
import { kept, locationIn } from './promises.ts'

const UNPROCESSABLE = 'openapi/adapter.yaml, POST /tasks, 422'

/** Those of the known person that the adapter says it finds people by either as they are or hashed. */
const alsoHashed = ({ manifest, known }: Probe): Identity[] =>
  known.filter(
    ({ type, format }) =>
      format !== 'sha256' && manifest.identityTypes.some(one => one.type === type && one.formats?.includes('sha256')),
  )

async function hashesLeadThere(probe: Probe): Promise<Finding> {
  const identities = alsoHashed(probe)
  if (identities.length === 0)
    return { notApplicable: 'Its manifest names no kind of identity that it takes as it is and hashed.' }
  for (const { type, value } of identities) {
    const [plain, hash] = [await probe.locate([{ type, value }]), await probe.locate([hashed(type, value)])]
    const differs = hash.size !== plain.size || [...plain].some(([name, count]) => hash.get(name) !== count)
    insist(!differs, `The hash of a '${type}' does not lead to what the '${type}' itself leads to.`)
  }
  return `Found by hash as without: ${identities.map(({ type }) => type).join(', ')}.`
}

/** What a locate by these identities, asked bare, is answered with in the end. */
async function statusFor(probe: Probe, identities: readonly Identity[]): Promise<number> {
  const { wire } = probe
  const heard = await wire.post(bareTask('locate', identities))
  return heard.status === 202 ? (await kept(probe, locationIn(wire, heard))).status : heard.status
}

const sum = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((all, count) => all + count, 0)

/** Whoever knows addresses and not people cannot tell, and answers for all of them: never for one in the name of both. */
async function twoPeopleAreNotOne(probe: Probe): Promise<Finding> {
  const { known, other } = probe
  const status = await statusFor(probe, [...known, ...other])
  if (status === 422) return 'Refused with 422.'
  insist(status === 200, `A locate by the identities of two people was answered with ${status} instead of 422.`)
  const answer = await probe.ask(probe.task('locate', [...known, ...other]))
  insist(answer.kind === 'result', 'Two people, asked about together, are not known.')
  const isMatched = ({ value }: Identity) => answer.matched.some(one => one.value === value)
  let held = 0
  for (const person of [known, other]) if (person.some(isMatched)) held += sum(await probe.locate(person))
  const told = answer.datasets.reduce((all, { count = 0 }) => all + count, 0)
  insist(told === held, `Asked about two people, it says it matched those who have ${held}, and locates ${told}.`)
  return 'Answered for everybody it says it matched.'
}

/** Whoever was not looked for has not been found missing. */
async function unusableIsNotUnknown(probe: Probe): Promise<Finding> {
  const types = probe.manifest.identityTypes.map(({ type }) => type)
  const type = types.includes('no_such_kind') ? 'no_such_kind_either' : 'no_such_kind'
  const status = await statusFor(probe, [{ type, value: 'nobody' }])
  insist(status === 422, `An identity of a kind that it does not know was answered with ${status} instead of 422.`)
  return 'Refused with 422.'
}

export const IDENTITY_CHECKS: readonly Check[] = [
  {
    id: 'unusable_identity',
    title: 'Asked by kinds of identity that it does not know alone, it does not say that nobody is known',
    reference: UNPROCESSABLE,
    needs: { wire: true },
    run: unusableIsNotUnknown,
  },
  {
    id: 'hashed',
    title: 'A person is found by the hash of an identity where the manifest says so',
    reference: 'openapi/adapter.yaml, Identity.format',
    needs: { person: 'known' },
    run: hashesLeadThere,
  },
  {
    id: 'ambiguous',
    title: 'Identities of two people are refused, or answered for both',
    reference: UNPROCESSABLE,
    needs: { wire: true, person: 'both' },
    run: twoPeopleAreNotOne,
  },
]
