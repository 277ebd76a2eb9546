import type pg from 'pg'
import { type Adapter, createAdapter, type Identity, type Resolved, TaskProblem } from '../../adapter-kit/adapter.ts'
import { eraseAccount, rectifyEmail, withdrawal } from './account-effects.ts'
import type { Known } from './known.ts'
import { rectifiable } from './rectify-rows.ts'
import type { Service } from './service.ts'
import { fromTable } from './table.ts'

const OWN = {
  key: 'user_id',
  origin: 'provided',
  purposes: ['provide_service'],
  legalBases: ['contract'],
  retention: 'account_data',
  recipients: ['Amazon Web Services'],
} as const
const ACCOUNT = { ...OWN, category: 'account', purposes: ['provide_service', 'communication'] } as const
const PROFILE = { ...OWN, category: 'profile' } as const

/** The service that knows who is who: everybody else's identities come from here. */
export function accounts({ db, secret, onError }: Service): Adapter {
  return createAdapter<Known>({
    name: 'accounts',
    secrets: secret,
    identityTypes: [{ type: 'user_id' }, { type: 'email' }],
    limits: { concurrency: 8 },
    eraseAfter: ['billing', 'learning', 'analytics', 'support'], // which find people through what this one knows
    ...(onError && { onError }),
    find: identities => findPerson(db, identities),
    resolve: identities => resolvePerson(db, identities),
    datasets: { ...account(db), ...choices(db) },
    perform: { erase: ({ keys }, call) => eraseAccount(db, keys, call) },
  })
}

/** Who the person is here, and how they get in. */
const account = (db: pg.Pool) => ({
  account: {
    ...fromTable(
      db,
      { ...ACCOUNT, table: 'lms_accounts.users', title: 'Account' },
      {
        name: 'string',
        email: 'string',
        country: 'string',
        locale: 'string',
        time_zone: 'string',
        city: 'string',
        phone: 'string',
        created_at: 'datetime',
        last_login_at: 'datetime',
        last_ip: 'string',
      },
    ),
    ...rectifiable(
      db,
      { table: 'lms_accounts.users', key: 'user_id' },
      ['name', 'email', 'country', 'locale', 'time_zone', 'city', 'phone'],
      rectifyEmail,
    ),
  },
  emails: fromTable(
    db,
    { ...ACCOUNT, table: 'lms_accounts.emails', title: 'E-mail addresses' },
    { address: 'string', is_primary: 'boolean', verified: 'boolean', since: 'datetime' },
  ),
  linked_logins: fromTable(
    db,
    {
      ...OWN,
      table: 'lms_accounts.linked_logins',
      title: 'Logins with other services',
      category: 'third_party',
      origin: 'third_party',
      purposes: ['provide_service'],
    },
    { provider: 'string', external_id: 'string', linked_at: 'datetime' },
  ),
})

/** What the person has set and agreed to. */
const choices = (db: pg.Pool) => ({
  profile_fields: {
    ...fromTable(
      db,
      { ...PROFILE, table: 'lms_accounts.profile_fields', title: 'Profile' },
      { field: 'string', value: 'string' },
    ),
    ...rectifiable(db, { table: 'lms_accounts.profile_fields', key: 'user_id' }, ['value']),
  },
  preferences: fromTable(
    db,
    { ...PROFILE, table: 'lms_accounts.preferences', title: 'Preferences' },
    { name: 'string', value: 'string' },
  ),
  consents: {
    ...fromTable(
      db,
      {
        table: 'lms_accounts.consents',
        key: 'user_id',
        title: 'Consents you gave or refused',
        category: 'marketing',
        origin: 'provided',
        purposes: ['marketing', 'analytics'],
        legalBases: ['consent'],
        retention: 'consent_withdrawal',
        recipients: ['Brevo'],
      },
      {
        purpose: 'string',
        granted: 'boolean',
        policy_version: 'string',
        given_at: 'datetime',
        withdrawn_at: 'datetime',
        ip: 'string',
      },
    ),
    ...withdrawal(db),
  },
})

interface Hit {
  type: string
  value: string
  user_id: string
}

/** Whose the identities are. Addresses are compared without regard to case, and former ones count. */
async function hits(db: pg.Pool, identities: readonly Identity[]): Promise<Hit[]> {
  const { rows } = await db.query<Hit>(
    `select distinct asked.type, asked.value, coalesce(u.user_id, e.user_id) as user_id
     from jsonb_to_recordset($1) as asked (type text, value text)
     left join lms_accounts.users u on asked.type = 'user_id' and u.user_id = asked.value
     left join lms_accounts.emails e on asked.type = 'email' and e.address = lower(asked.value)
     where coalesce(u.user_id, e.user_id) is not null`,
    [JSON.stringify(identities)],
  )
  return rows
}

const matchedOf = (found: readonly Hit[]): Identity[] => found.map(({ type, value }) => ({ type, value }))
const peopleIn = (found: readonly Hit[]): string[] => [...new Set(found.map(hit => hit.user_id))]

async function findPerson(db: pg.Pool, identities: readonly Identity[]): Promise<Known | undefined> {
  const found = await hits(db, identities)
  const keys = peopleIn(found)
  if (keys.length > 1) throw new TaskProblem(422, 'ambiguous_subject', 'The identities belong to different people.')
  return keys.length === 0 ? undefined : { matched: matchedOf(found), keys }
}

async function resolvePerson(db: pg.Pool, identities: readonly Identity[]): Promise<Resolved | undefined> {
  const found = await hits(db, identities)
  const [userId, ...others] = peopleIn(found)
  const matched = matchedOf(found)
  if (userId === undefined) return undefined
  if (others.length > 0) return { matched, identities: [], contactPoints: [], status: 'hold' }
  const user = await db.query<{ name: string; locale: string; country: string; compromised: boolean }>(
    'select name, locale, country, compromised from lms_accounts.users where user_id = $1',
    [userId],
  )
  const emails = await db.query<{ address: string; since: Date; verified: boolean }>(
    'select address, since, verified from lms_accounts.emails where user_id = $1 order by is_primary desc, id',
    [userId],
  )
  const { name, locale, country, compromised } = user.rows[0] ?? { compromised: true }
  return {
    matched,
    identities: [{ type: 'user_id', value: userId }, ...emails.rows.map(({ address }) => ({ type: 'email', value: address }))],
    contactPoints: compromised ? [] : emails.rows.map(contactPoint),
    ...(name && { name }),
    ...(locale && { locale }),
    ...(country && { country }),
    status: compromised ? 'suspected_fraud' : 'match',
  }
}

const contactPoint = ({ address, since, verified }: { address: string; since: Date; verified: boolean }) =>
  ({ type: 'email', value: address, since: since.toISOString(), verified }) as const
