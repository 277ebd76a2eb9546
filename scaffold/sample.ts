import { DatabaseSync } from 'node:sqlite'
import { createAdapter, type Found, type Identity, TaskProblem } from '../src/adapter-kit/adapter.ts'

/** In memory, with two people in it, so that it runs at once. Yours takes its place: wherever it says `db`, your queries go. */
const db = new DatabaseSync(':memory:')
db.exec(`
  create table customers (id text primary key, email text, name text, restricted int default 0);
  create table orders (number text primary key, customer text, amount real, ordered_on text, restricted int default 0);
  create table newsletter (customer text primary key, subscribed int default 1, restricted int default 0);
  insert into customers (id, email, name) values ('u-1', 'one@example.org', 'Ana Perera'), ('u-2', 'two@example.org', 'Ben Silva');
  insert into orders (number, customer, amount, ordered_on) values ('A-1', 'u-1', 19.5, '2026-01-02'), ('A-2', 'u-2', 7, '2026-02-03');
  insert into newsletter (customer) values ('u-1'), ('u-2');
`)
const rows = (sql: string, ...values: (string | null)[]) => db.prepare(sql).iterate(...values)
const changed = (sql: string, ...values: (string | null)[]) => Number(db.prepare(sql).run(...values).changes)
const idsIn = (sql: string, value: string) => [...rows(sql, value)].map(row => String(row.id))

interface Customer extends Found {
  id: string
}

/** Who is meant? Undefined says: nobody here, and that is a full answer. What is thrown is a failure, and asked again. */
function find(identities: readonly Identity[]): Customer | undefined {
  const found = identities.flatMap(identity =>
    idsIn(
      identity.type === 'email'
        ? 'select id from customers where email = lower(?1)'
        : 'select id from customers where id = ?1 union select customer from orders where customer = ?1 union select customer from newsletter where customer = ?1',
      identity.value,
    ).map(id => ({ identity, id })),
  )
  const [id, another] = new Set(found.map(each => each.id))
  if (another) throw new TaskProblem(422, 'ambiguous_subject', 'The identities belong to different people.')
  return id === undefined ? undefined : { id, matched: found.map(({ identity }) => identity) }
}

/** What is done to every table alike. Each change gives to how many rows it was done; doing it twice does no harm. */
const table = (name: string, key: string, columns: string) => ({
  count: ({ id }: Customer) => Number([...rows(`select count(*) as n from ${name} where ${key} = ?`, id)][0]?.n),
  records: ({ id }: Customer) => rows(`select ${columns} from ${name} where ${key} = ? order by 1`, id),
  erase: ({ id }: Customer) => changed(`delete from ${name} where ${key} = ?`, id),
  restrict: ({ id }: Customer) => changed(`update ${name} set restricted = 1 where ${key} = ?`, id),
  lift_restriction: ({ id }: Customer) => changed(`update ${name} set restricted = 0 where ${key} = ?`, id),
})
const unsubscribe = ({ id }: Customer) => changed('update newsletter set subscribed = 0 where customer = ?', id)

/** The words for purposes, legal bases and retention are those of the privacy policy: a registration tells which are not. */
const basics = { origin: 'provided', purposes: ['provide_service'], legalBases: ['contract'], retention: 'account_data' } as const

export const adapter = createAdapter<Customer>({
  name: 'sample',
  secrets: process.env.DSAR_SECRET ?? '',
  identityTypes: [{ type: 'user_id' }, { type: 'email' }],
  find,
  datasets: {
    orders: { ...basics, title: 'Orders', category: 'billing', ...table('orders', 'customer', 'number, amount, ordered_on') },
    newsletter: {
      ...{ ...basics, purposes: ['marketing'], legalBases: ['consent'], title: 'Newsletter', category: 'marketing' },
      ...table('newsletter', 'customer', 'subscribed'),
      object: unsubscribe,
      withdraw_consent: unsubscribe,
    },
    profile: {
      ...{ ...basics, title: 'Profile', category: 'account', fields: [{ name: 'name', type: 'string', title: 'Name' }] },
      ...table('customers', 'id', 'email, name'),
      rectify({ id }, { task }) {
        for (const { from, to } of task.parameters.corrections)
          if (!changed('update customers set name = ?1 where id = ?2 and name in (?1, ?3)', `${to}`, id, `${from}`))
            return { outcome: 'refused', reason: 'not_as_stated' }
        return task.parameters.corrections.length
      },
    },
  },
})

if (import.meta.main) process.stdout.write(`${(await adapter.listen(Number(process.env.PORT ?? 8090))).url}\n`)
