import { readFileSync } from 'node:fs'
import pg from 'pg'
import { PROFILES, type Profile, type Volumes } from './profiles.ts'

export interface Person {
  userId: string
  email: string
  name: string
  /** ISO 3166-1 alpha-2. */
  country: string
  profile: Profile | Volumes
  /** The same seed makes the same data. */
  seed: number
}

const SEED = readFileSync(new URL('./sql/seed.sql', import.meta.url), 'utf8')
const END_OF_THIS_WORLD = '2026-11-15T00:00:00Z'

/** Gives a person data in all five services. One who is already there is left as they are. */
export const seedPerson = (databaseUrl: string, person: Person): Promise<void> => seedPeople(databaseUrl, [person])

/** Everything is made inside PostgreSQL, by sets, in one transaction: a million log rows take seconds. */
export async function seedPeople(databaseUrl: string, people: readonly Person[]): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await client.query('begin')
    await client.query(SEEDING, [JSON.stringify(people.map(rowOf))])
    await client.query(SEED)
    await client.query('commit')
  } finally {
    await client.end() // rolls back what was not committed
  }
}

const SEEDING = `
  create temp table seeding on commit drop as
  select *, timestamptz '${END_OF_THIS_WORLD}' as at
  from jsonb_to_recordset($1) as p (
    user_id text, email text, former_email text, name text, country text, locale text, time_zone text, city text, seed int,
    posts int, logs int, files int, enrolments int, grades int, grade_history int, quizzes int, certificates int,
    devices int, sessions int, tickets int, messages int, invoices int, preferences int, profile_fields int)
  where not exists (select from lms_accounts.users u where u.user_id = p.user_id)`

function rowOf({ userId, email, name, country, profile, seed }: Person) {
  const { gradeHistory, profileFields, ...volumes } = typeof profile === 'string' ? PROFILES[profile] : profile
  return {
    user_id: userId,
    email: email.toLowerCase(),
    former_email: `${userId.toLowerCase()}@former.example.org`,
    name,
    country,
    seed,
    ...(PLACES.get(country) ?? { locale: 'en', time_zone: 'UTC', city: null }),
    ...volumes,
    grade_history: gradeHistory,
    profile_fields: profileFields,
  }
}

const PLACES = new Map([
  ['LK', { locale: 'si', time_zone: 'Asia/Colombo', city: 'Colombo' }],
  ['DE', { locale: 'de', time_zone: 'Europe/Berlin', city: 'Köln' }],
  ['FR', { locale: 'fr', time_zone: 'Europe/Paris', city: 'Orléans' }],
  ['IE', { locale: 'en', time_zone: 'Europe/Dublin', city: 'Dún Laoghaire' }],
  ['JP', { locale: 'ja', time_zone: 'Asia/Tokyo', city: '東京' }],
])
