import type { Manifest } from '../../adapters/protocol.ts'
import type { Check, Finding } from '../check.ts'
import type { Pile } from '../gather.ts'
import { insist } from '../objection.ts'
import type { Probe } from '../probe.ts'

const COLLECT = 'openapi/adapter.yaml, Streams; Art. 15 GDPR'

const amountOf = (pile: Pile | undefined): number => (pile ? pile.records + pile.files : 0)
const total = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((sum, count) => sum + count, 0)
const namesOf = ({ datasets }: Manifest): string[] => datasets.map(({ name }) => name)

async function knownHasData(probe: Probe): Promise<Finding> {
  const found = total(await probe.locate(probe.known))
  insist(found > 0, 'Nothing is located of the known person: give one who has data there, or the other checks see nothing.')
  return `${found} records and files located.`
}

async function collectionIsWhole(probe: Probe): Promise<Finding> {
  const piles = await probe.collect(probe.known)
  const sum = (of: (pile: Pile) => number) => [...piles.values()].reduce((all, pile) => all + of(pile), 0)
  return `${sum(({ records }) => records)} records and ${sum(({ files }) => files)} files, ${sum(({ bytes }) => bytes)} bytes.`
}

async function countsAreWhatComes(probe: Probe): Promise<Finding> {
  const located = await probe.locate(probe.known)
  const piles = await probe.collect(probe.known)
  for (const name of namesOf(probe.manifest)) {
    const [count, came] = [located.get(name) ?? 0, amountOf(piles.get(name))]
    insist(count === came, `'${name}': ${count} located, ${came} collected.`)
  }
  return `${total(located)} located, and as many collected.`
}

async function scopeIsKept(probe: Probe): Promise<Finding> {
  const names = namesOf(probe.manifest)
  if (names.length < 2) return { notApplicable: 'It holds one dataset.' }
  const whole = await probe.collect(probe.known)
  for (const name of names) {
    const located = await probe.locate(probe.known, [name])
    insist(
      [...located.keys()].every(each => each === name),
      `A locate of '${name}' alone spoke of other datasets.`,
    )
    const alone = await probe.collect(probe.known, [name])
    insist(amountOf(alone.get(name)) === amountOf(whole.get(name)), `'${name}' alone is not as much as '${name}' among all.`)
  }
  return `${names.length} datasets, each asked for alone.`
}

/** An adapter that finds the person by one identity does not say that it found them by another. */
async function matchedIsWhatLedThere(probe: Probe): Promise<Finding> {
  const identities = [...probe.known, ...probe.nobody]
  const answer = await probe.ask(probe.task('locate', identities))
  insist(answer.kind === 'result', 'The known person, asked about with an identity of nobody beside theirs, is not known.')
  const invented = answer.matched.some(({ value }) => probe.nobody.some(one => one.value === value))
  insist(!invented, '`matched` names an identity that does not exist: it repeats what was asked instead of what was found.')
  return 'Only what led to the person is named.'
}

async function peopleAreToldApart(probe: Probe): Promise<Finding> {
  const [known, other] = [await probe.locate(probe.known), await probe.locate(probe.other)]
  insist(total(other) > 0, 'Nothing is located of the other person: give one who has data there.')
  const [theirs, others] = [await probe.collect(probe.known), await probe.collect(probe.other)]
  const alike = [...theirs].every(([name, { print }]) => others.get(name)?.print === print)
  insist(!alike, 'Both people are answered with the same records.')
  return `${total(known)} of one, ${total(other)} of the other, and not the same.`
}

async function twoPeopleAreNoMatch(probe: Probe): Promise<Finding> {
  const alone = await probe.ask(probe.task('resolve', probe.known))
  insist(alone.kind === 'resolved', 'The known person is not resolved.')
  const both = await probe.wire.post(probe.task('resolve', [...probe.known, ...probe.other]))
  const matched = both.status === 200 && /"status"\s*:\s*"match"/.test(both.text)
  insist(!matched, 'Identities of two people are resolved as one person.')
  return `One person: ${alone.status}. Identities of two: ${both.status === 200 ? 'no match' : `refused with ${both.status}`}.`
}

async function nobodyIsNamed({ manifest, known, other, said }: Probe): Promise<Finding> {
  const theirs = [...known, ...other].map(({ value }) => value.toLowerCase()).filter(isTelling)
  const heard = [JSON.stringify(manifest), ...said].map(text => text.toLowerCase())
  insist(!heard.some(text => theirs.some(value => text.includes(value) || text.includes(encodeURIComponent(value)))), WHERE_NAMED)
  return `${heard.length} names, addresses and problems, and nobody named in them.`
}
/** Shorter ones, and mere numbers, stand in sizes and tokens by chance. */
const isTelling = (value: string) => value.length >= 6 && /\p{L}/u.test(value)
const WHERE_NAMED =
  'An identity of a person stands in the manifest, in an address that the adapter gave, or in a problem it told.'

export const COPY_CHECKS: readonly Check[] = [
  {
    id: 'known_person',
    title: 'The person given as known has data there',
    reference: 'openapi/adapter.yaml, locate',
    needs: { person: 'known' },
    run: knownHasData,
  },
  {
    id: 'collected',
    title: 'A collect comes to its end, says so, and as much came as it says',
    reference: COLLECT,
    needs: { person: 'known' },
    run: collectionIsWhole,
  },
  {
    id: 'counts',
    title: 'What is located is what is collected',
    reference: COLLECT,
    needs: { person: 'known' },
    run: countsAreWhatComes,
  },
  {
    id: 'scope',
    title: 'Only the datasets asked about are answered',
    reference: 'openapi/adapter.yaml, Task.scope',
    needs: { person: 'known' },
    run: scopeIsKept,
  },
  {
    id: 'matched',
    title: 'It says which of the identities led to the person, and no others',
    reference: 'openapi/adapter.yaml, Result.matched',
    needs: { person: 'known' },
    run: matchedIsWhatLedThere,
  },
  {
    id: 'people_apart',
    title: 'Two people are not answered alike',
    reference: 'openapi/adapter.yaml, Result.matched',
    needs: { person: 'both' },
    run: peopleAreToldApart,
  },
  {
    id: 'resolved',
    title: 'Identities of two people are not resolved as one',
    reference: 'openapi/adapter.yaml, ResolveResult',
    needs: { wire: true, action: 'resolve', person: 'both' },
    run: twoPeopleAreNoMatch,
  },
  {
    id: 'impersonal',
    title: 'Names, addresses and problems say nothing about a person',
    reference: 'openapi/adapter.yaml, FileLine, Problem',
    needs: { person: 'known' },
    run: nobodyIsNamed,
  },
]
