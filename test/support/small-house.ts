import { randomBytes } from 'node:crypto'
import { type Adapter, createAdapter, type DatasetDefinition, type Effects, type Found } from '../../src/adapter-kit/adapter.ts'
import type { Call } from './callers.ts'
import { letIn } from './let-in.ts'
import type { Service } from './service.ts'

export interface Person {
  userId: string
  email: string
  name: string
}

export const ANA: Person = { userId: 'u-ana', email: 'ana@example.org', name: 'Ana Perera' }
export const BEN: Person = { userId: 'u-ben', email: 'ben@example.org', name: 'Ben Silva' }

const PEOPLE = [ANA, BEN]
type FoundPerson = Found & { person: Person }

const described = { origin: 'provided', purposes: ['provide_service'], legalBases: ['contract'], recipients: [] } as const

const finder =
  (known: readonly Person[]) =>
  (identities: readonly { type: string; value: string }[]): FoundPerson | undefined => {
    const person = known.find(one =>
      identities.some(({ type, value }) => (type === 'email' ? value === one.email : value === one.userId)),
    )
    const matched = identities.filter(({ value }) => value === person?.email || value === person?.userId)
    return person && { matched, person }
  }

const identityTypes = [{ type: 'user_id' }, { type: 'email' }]
const newSecret = () => `whsec_${randomBytes(24).toString('base64')}`

/** What was done to whose data, as `notes/u-ana`, and what people are called since a correction. */
interface Done {
  erased: Set<string>
  restricted: Set<string>
  objected: Set<string>
  names: Map<string, string>
}

/** Every change of a dataset but a correction, in memory. */
function effectsOn({ erased, restricted, objected }: Done, dataset: string, held: number) {
  const of = ({ person }: FoundPerson) => `${dataset}/${person.userId}`
  const count = (found: FoundPerson): number => (erased.has(of(found)) ? 0 : held)
  return {
    count,
    erase: found => {
      const there = count(found)
      erased.add(of(found))
      return there
    },
    restrict: found => {
      restricted.add(of(found))
      return count(found)
    },
    lift_restriction: found => {
      restricted.delete(of(found))
      return count(found)
    },
    object: found => {
      objected.add(of(found))
      return count(found)
    },
  } satisfies Effects<FoundPerson> & Pick<DatasetDefinition<FoundPerson>, 'count'>
}

const unless = <T>(gone: boolean, rows: T[]): T[] => (gone ? [] : rows)

export interface House {
  adapters: { name: string; secret: string; url: string; adapter: Adapter }[]
  done: Done
  close(): Promise<void>
}

type Definition = Parameters<typeof createAdapter<FoundPerson>>[0]

/** Two services as a stranger would write them: one that knows who is who, one that holds notes and a file. Both do what they are asked. */
export async function openHouse(more: Partial<Definition> = {}, known = PEOPLE): Promise<House> {
  const find = finder(known)
  const done: Done = { erased: new Set(), restricted: new Set(), objected: new Set(), names: new Map() }
  const nameOf = ({ userId, name }: Person): string => done.names.get(userId) ?? name
  const unlessErased =
    (...datasets: string[]) =>
    (identities: Parameters<typeof find>[0]) => {
      const found = find(identities)
      return found && datasets.some(dataset => !done.erased.has(`${dataset}/${found.person.userId}`)) ? found : undefined
    }
  const findPerson = unlessErased('account')
  const account: DatasetDefinition<FoundPerson> = {
    ...described,
    title: 'Account',
    category: 'account',
    retention: 'account_data',
    fields: [{ name: 'name', type: 'string', title: 'Name' }],
    ...effectsOn(done, 'account', 1),
    records: ({ person }) => [{ name: nameOf(person), email: person.email }],
    rectify({ person }, { task }) {
      for (const { from, to } of task.parameters.corrections) {
        if (![from, to].includes(nameOf(person))) return { outcome: 'refused', reason: 'not_as_stated' }
        done.names.set(person.userId, String(to))
      }
      return 1
    },
  }
  const notes: DatasetDefinition<FoundPerson> = {
    ...described,
    title: 'Notes',
    category: 'content',
    retention: 'account_data',
    fields: [{ name: 'text', type: 'string', title: 'Text' }],
    ...effectsOn(done, 'notes', 4),
    records: ({ person }) =>
      unless(done.erased.has(`notes/${person.userId}`), [
        { text: `=cmd of ${person.userId}` },
        { text: 'two\nlines' },
        '{"text":"three","views":12345678901234567890}',
      ]),
    files: ({ person }) =>
      unless(done.erased.has(`notes/${person.userId}`), [
        { name: '../../é.txt', mediaType: 'text/plain', content: Buffer.from('attached') },
      ]),
  }
  const scores: DatasetDefinition<FoundPerson> = {
    ...described,
    title: 'Scores',
    category: 'usage',
    origin: 'derived',
    legalBases: ['legitimate_interest'],
    retention: 'usage_data',
    fields: [{ name: 'score', type: 'number', title: 'Score' }],
    ...effectsOn(done, 'scores', 1),
    records: ({ person }) => unless(done.erased.has(`scores/${person.userId}`), [{ score: 0.5 }]),
  }
  const people: Definition = {
    name: 'people',
    secrets: newSecret(),
    identityTypes,
    datasets: { account },
    eraseAfter: ['library'],
    find: findPerson,
    resolve: identities => {
      const found = findPerson(identities)
      return (
        found && {
          matched: found.matched,
          identities: [
            { type: 'user_id', value: found.person.userId },
            { type: 'email', value: found.person.email },
          ],
          contactPoints: [{ type: 'email', value: found.person.email, since: '2020-01-01T00:00:00Z', verified: true }],
          name: nameOf(found.person),
          status: 'match',
        }
      )
    },
  }
  const library: Definition = {
    name: 'library',
    secrets: newSecret(),
    identityTypes,
    datasets: { notes, scores },
    find: unlessErased('notes', 'scores'),
    ...more,
  }
  const adapters = await Promise.all(
    [people, library].map(async definition => {
      const adapter = createAdapter(definition)
      const { url } = await adapter.listen(0)
      return { name: definition.name, secret: String(definition.secrets), url, adapter }
    }),
  )
  return {
    adapters,
    done,
    async close() {
      await Promise.all(adapters.map(({ adapter }) => adapter.close()))
    },
  }
}

/** `host:port` pairs, as the operator allows them. */
export const hostsOf = ({ adapters }: Pick<House, 'adapters'>): string => adapters.map(({ url }) => new URL(url).host).join(',')

export async function registerAll(
  { adapters }: Pick<House, 'adapters'>,
  operator: Call,
  service: Pick<Service, 'sql'>,
): Promise<void> {
  for (const { url, secret, name } of adapters) {
    const { status, body } = await operator('/v1/adapters', { body: { baseUrl: url, secret, title: name } })
    if (status !== 201) throw new Error(`${name} was not registered: ${JSON.stringify(body)}`)
  }
  await letIn(service)
}
