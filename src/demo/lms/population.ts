import { type Person, seedPeople } from './seed-person.ts'

const FIRST = ['Kamal', 'Grace', 'Tomás', 'ශානි', 'Jürgen', '花子', 'Zoë', 'முருகன்', "O'Neil", 'Анна']
const LAST = ['Perera', 'Müller', 'Ó Briain', 'සිල්වා', 'Nakamura', 'Dupont', 'van der Berg']
const COUNTRIES = ['LK', 'DE', 'FR', 'IE', 'JP', 'NL']

/** Two people of one name, whose addresses differ by a dot, and who must never be mixed up. */
export const TWINS: readonly [Person, Person] = [
  { userId: 'u-twin-1', email: 'ana.perera@twins.example', name: 'Ana Perera', country: 'LK', profile: 'light', seed: 11 },
  { userId: 'u-twin-2', email: 'anaperera@twins.example', name: 'Ana Perera', country: 'LK', profile: 'light', seed: 12 },
]

/** Nobody: with these two it is checked that the adapters keep to the protocol, of whom the first is erased by it. */
export const CHECK_PEOPLE: readonly [Person, Person] = [
  { userId: 'u-check-1', email: 'check-1@campus.example', name: 'Test One', country: 'LK', profile: 'light', seed: 21 },
  { userId: 'u-check-2', email: 'check-2@campus.example', name: 'Test Two', country: 'LK', profile: 'light', seed: 22 },
]

/** Other people, so that nobody is alone in the database. */
export function seedPopulation(databaseUrl: string, size = 300): Promise<void> {
  const people = Array.from(
    { length: size },
    (_, at): Person => ({
      userId: `u-${10_000 + at}`,
      email: `learner${at}@campus.example`,
      name: `${FIRST[at % FIRST.length]} ${LAST[at % LAST.length]}`,
      country: COUNTRIES[at % COUNTRIES.length] ?? 'LK',
      profile: 'background',
      seed: 1_000 + at,
    }),
  )
  return seedPeople(databaseUrl, [...TWINS, ...CHECK_PEOPLE, ...people])
}
