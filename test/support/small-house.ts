import { randomBytes } from 'node:crypto'
import { type Adapter, createAdapter, type DatasetDefinition, type Found } from '../../src/adapter-kit/adapter.ts'
import type { Call } from './callers.ts'

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

export interface House {
  adapters: { name: string; secret: string; url: string; adapter: Adapter }[]
  close(): Promise<void>
}

type Definition = Parameters<typeof createAdapter<FoundPerson>>[0]

/** Two services as a stranger would write them: one that knows who is who, one that holds notes and a file. */
export async function openHouse(more: Partial<Definition> = {}, known = PEOPLE): Promise<House> {
  const find = finder(known)
  const account: DatasetDefinition<FoundPerson> = {
    ...described,
    title: 'Account',
    category: 'account',
    retention: 'account_data',
    fields: [{ name: 'name', type: 'string', title: 'Name' }],
    count: () => 1,
    records: ({ person }) => [{ name: person.name, email: person.email }],
  }
  const notes: DatasetDefinition<FoundPerson> = {
    ...described,
    title: 'Notes',
    category: 'content',
    retention: 'account_data',
    fields: [{ name: 'text', type: 'string', title: 'Text' }],
    count: () => 4,
    records: ({ person }) => [
      { text: `=cmd of ${person.userId}` },
      { text: 'two\nlines' },
      '{"text":"three","views":12345678901234567890}',
    ],
    files: () => [{ name: '../../é.txt', mediaType: 'text/plain', content: Buffer.from('attached') }],
  }
  const scores: DatasetDefinition<FoundPerson> = {
    ...described,
    title: 'Scores',
    category: 'usage',
    origin: 'derived',
    legalBases: ['legitimate_interest'],
    retention: 'usage_data',
    fields: [{ name: 'score', type: 'number', title: 'Score' }],
    count: () => 1,
    records: () => [{ score: 0.5 }],
  }
  const people: Definition = {
    name: 'people',
    secrets: newSecret(),
    identityTypes,
    datasets: { account },
    find,
    resolve: identities => {
      const found = find(identities)
      return (
        found && {
          matched: found.matched,
          identities: [
            { type: 'user_id', value: found.person.userId },
            { type: 'email', value: found.person.email },
          ],
          contactPoints: [{ type: 'email', value: found.person.email, since: '2020-01-01T00:00:00Z', verified: true }],
          name: found.person.name,
          status: 'match',
        }
      )
    },
  }
  const library: Definition = { name: 'library', secrets: newSecret(), identityTypes, datasets: { notes, scores }, find, ...more }
  const adapters = await Promise.all(
    [people, library].map(async definition => {
      const adapter = createAdapter(definition)
      const { url } = await adapter.listen(0)
      return { name: definition.name, secret: String(definition.secrets), url, adapter }
    }),
  )
  return {
    adapters,
    async close() {
      await Promise.all(adapters.map(({ adapter }) => adapter.close()))
    },
  }
}

/** `host:port` pairs, as the operator allows them. */
export const hostsOf = ({ adapters }: House): string => adapters.map(({ url }) => new URL(url).host).join(',')

export async function registerAll({ adapters }: House, operator: Call): Promise<void> {
  for (const { url, secret, name } of adapters) {
    const { status, body } = await operator('/v1/adapters', { body: { baseUrl: url, secret, title: name } })
    if (status !== 201) throw new Error(`${name} was not registered: ${JSON.stringify(body)}`)
  }
}
