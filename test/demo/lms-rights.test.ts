import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Identity } from '../../src/adapter-kit/adapter.ts'
import { PROFILES } from '../../src/demo/lms/profiles.ts'
import { seedPerson } from '../../src/demo/lms/seed-person.ts'
import { linesOf } from '../adapter-kit/caller.ts'
import { type LmsCalls, NAMES, openLms, userId } from './lms-calls.ts'

let house: LmsCalls

beforeAll(async () => {
  house = await openLms()
})
afterAll(async () => {
  await house.close()
  expect(house.errors).toEqual([])
})

let people = 0

/** Somebody new, with data everywhere, and every identity of theirs. */
async function newPerson(profile: Parameters<typeof seedPerson>[1]['profile'] = 'light') {
  people += 1
  const id = `u-right-${people}`
  const person = {
    userId: id,
    email: `${id}@rights.example`,
    name: `Nadia ${people}`,
    country: 'DE',
    profile,
    seed: 40 + 2 * people,
  }
  await seedPerson(house.databaseUrl, person)
  return { ...person, identities: await house.identitiesOf(id) }
}

const outcomes = async (name: string, action: string, identities: readonly Identity[], more: object = {}) => {
  const { datasets } = await house.result(name, action, identities, more)
  return Object.fromEntries(datasets.map(({ name: dataset, ...rest }) => [dataset, rest]))
}
const countsOf = async (name: string, identities: readonly Identity[]) =>
  Object.fromEntries(
    (await house.result(name, 'locate', identities)).datasets.map(({ name: dataset, count }) => [dataset, count]),
  )
const recordsOf = async (name: string, dataset: string, identities: readonly Identity[]) =>
  (await linesOf(await house.ask(name, 'collect', identities, { scope: { datasets: [dataset] } })))
    .slice(0, -1)
    .map(line => line.record)
const completed = (count: number) => ({ outcome: 'completed', count })
const noData = { outcome: 'no_data', count: 0 }

/** Every table that has people in it, with the column that says whose a row is. */
async function tables(): Promise<{ name: string; key: string }[]> {
  const found = await house.sql<{ name: string; key: string }>(
    `select table_schema || '.' || table_name as name, max(column_name) as key from information_schema.columns
     where table_schema like 'lms\\_%' and column_name in ('user_id', 'requester_email', 'person')
       and (table_schema, table_name) in (select schemaname, tablename from pg_tables) group by 1 order by 1`,
  )
  expect(found.length).toBeGreaterThan(25)
  return found
}

const keysOf = ({ userId: id, email }: { userId: string; email: string }) => [id, email, `${id}@former.example.org`]

/** Every table, as the number of its rows and a sum over what they hold: all rows, or all but one person's. */
async function rowsOf(except = { userId: '', email: '' }): Promise<Record<string, string>> {
  const sums: Record<string, string> = {}
  for (const { name, key } of await tables()) {
    const [row] = await house.sql<{ sum: string }>(
      `select count(*) || ' rows: ' || coalesce(sum(hashtextextended(t::text, 0)), 0) as sum from ${name} t where ${key} <> all ($1)`,
      [keysOf(except)],
    )
    sums[name] = row?.sum ?? ''
  }
  return sums
}

async function tablesWith(person: { userId: string; email: string }): Promise<string[]> {
  const found: string[] = []
  for (const { name, key } of await tables()) {
    const rows = await house.sql(`select from ${name} where ${key} = any ($1) limit 1`, [keysOf(person)])
    if (rows.length > 0) found.push(name)
  }
  return found
}

test('every service declares what it does, and accounts goes last', async () => {
  const manifests = await house.manifests()
  expect(Object.fromEntries(manifests.map(({ name, actions }) => [name, actions.slice(actions.indexOf('collect') + 1)]))).toEqual(
    {
      accounts: ['rectify', 'erase', 'restrict', 'lift_restriction', 'object', 'withdraw_consent'],
      billing: ['erase', 'restrict', 'lift_restriction'],
      learning: ['erase', 'restrict', 'lift_restriction'],
      analytics: ['erase', 'restrict', 'lift_restriction', 'object', 'withdraw_consent'],
      support: ['erase', 'restrict', 'lift_restriction'],
    },
  )
  expect(manifests[0]?.eraseAfter.toSorted()).toEqual(NAMES.slice(1).toSorted())
})

describe('erasing a person', () => {
  test('leaves nothing of theirs in any service but what the law keeps, and everybody else as they were', async () => {
    const person = await newPerson('typical')
    const before = await rowsOf(person)
    for (const name of NAMES) await house.result(name, 'restrict', person.identities)
    expect(await tablesWith(person)).toHaveLength((await tables()).length)

    for (const name of NAMES.toReversed())
      await house.result(name, 'erase', person.identities, { parameters: { ground: '17_1_b' } })
    expect(await tablesWith(person)).toEqual(['invoices', 'limits', 'payments', 'refunds'].map(table => `lms_billing.${table}`))
    for (const name of NAMES.filter(name => name !== 'billing'))
      expect([name, (await house.ask(name, 'locate', person.identities)).status]).toEqual([name, 204])
    expect(await countsOf('billing', person.identities)).toEqual({ invoices: 4, payments: 4, refunds: 1, payment_methods: 0 })
    expect((await house.ask('accounts', 'resolve', [userId(person.userId)])).status).toBe(204)
    expect(await rowsOf(person)).toEqual(before)
  })

  test('says how much was erased, and the same again when the task is repeated', async () => {
    const { identities } = await newPerson()
    const { posts, files } = PROFILES.light
    const task = { taskId: 'erase-learning-once' }
    const first = await outcomes('learning', 'erase', identities, task)
    expect(first).toMatchObject({ forum_posts: completed(posts), submission_files: completed(files), enrolments: completed(2) })
    expect(await outcomes('learning', 'erase', identities, { ...task, attempt: 2 })).toEqual(first)
    expect((await house.ask('learning', 'erase', identities)).status).toBe(204)
  })

  test('of one dataset leaves the others', async () => {
    const { identities } = await newPerson()
    const before = await countsOf('support', identities)
    expect(await outcomes('support', 'erase', identities, { scope: { datasets: ['tickets'] } })).toEqual({
      tickets: completed(before.tickets ?? 0),
    })
    expect(await countsOf('support', identities)).toEqual({ ...before, tickets: 0 })
  })

  test('run dry changes nothing, and foresees what becomes of each dataset', async () => {
    const { identities } = await newPerson('typical')
    const before = await rowsOf()
    for (const name of NAMES.toReversed()) {
      const task = { parameters: { ground: '17_1_b' } }
      const foreseen = await outcomes(name, 'erase', identities, { ...task, dryRun: true })
      expect(await rowsOf()).toEqual(before)
      expect(await outcomes(name, 'erase', identities, task)).toEqual(foreseen)
      Object.assign(before, await rowsOf())
    }
  })

  test('empties a post that others answered, and leaves their answers where they are', async () => {
    const person = await newPerson()
    const [post] = await house.sql<{ id: string }>('select min(id) as id from lms_learning.forum_posts where user_id = $1', [
      person.userId,
    ])
    await house.sql(
      `update lms_learning.forum_posts set reply_to = $1 where id = (select min(id) from lms_learning.forum_posts where user_id = 'u-10003')`,
      [post?.id],
    )
    const others = await rowsOf(person)
    expect(await outcomes('learning', 'erase', person.identities, { scope: { datasets: ['forum_posts'] } })).toEqual({
      forum_posts: completed(PROFILES.light.posts),
    })
    const left = await house.sql('select user_id, subject, message from lms_learning.forum_posts where id = $1', [post?.id])
    expect(left).toEqual([{ user_id: '', subject: '', message: '' }])
    await house.sql(`delete from lms_learning.forum_posts where user_id = ''`)
    expect(await rowsOf(person)).toEqual(others)
    expect(await countsOf('learning', person.identities)).toMatchObject({ forum_posts: 0 })
  })

  test('keeps invoices for seven years from the newest, for that alone, and no card number', async () => {
    const { identities, userId: id } = await newPerson()
    await house.sql('delete from lms_billing.refunds where user_id = $1', [id])
    const erased = await outcomes('billing', 'erase', identities)
    const law = { reason: '17_3_b', statute: expect.stringMatching(/law/), until: '2033-10-16' }
    expect(erased).toEqual({
      invoices: { outcome: 'retained', count: 1, ...law },
      payments: { outcome: 'retained', count: 1, ...law },
      refunds: noData,
      payment_methods: completed(1),
    })
    expect(await recordsOf('billing', 'invoices', identities)).toMatchObject([{ issued_on: '2026-10-16' }])
    expect(await recordsOf('billing', 'payments', identities)).toMatchObject([
      { gateway: 'stripe', card_brand: null, card_last4: null },
    ])
    expect(await house.sql('select from lms_billing.usable_invoices where user_id = $1', [id])).toEqual([])
    expect(await countsOf('billing', identities)).toEqual({ invoices: 1, payments: 1, refunds: 0, payment_methods: 0 })
    const again = await outcomes('billing', 'erase', identities)
    expect(again).toEqual({ ...erased, payment_methods: noData })

    await house.sql(`update lms_billing.invoices set issued_on = issued_on - interval '8 years' where user_id = $1`, [id])
    await house.sql(`update lms_billing.payments set paid_at = paid_at - interval '8 years' where user_id = $1`, [id])
    expect(await outcomes('billing', 'erase', identities, { dryRun: true })).toMatchObject({ invoices: completed(1) })
    expect(await outcomes('billing', 'erase', identities)).toMatchObject({ invoices: completed(1), payments: completed(1) })
    expect((await house.ask('billing', 'locate', identities)).status).toBe(204)
  })

  test('reaches every one of 10,000 log rows', async () => {
    const { identities } = await newPerson({ ...PROFILES.light, logs: 10_000 })
    expect(await outcomes('analytics', 'erase', identities)).toMatchObject({ log_events: completed(10_000) })
    expect((await house.ask('analytics', 'locate', identities)).status).toBe(204)
  })
})

describe('restricting', () => {
  const views = [
    ['accounts', 'account', 'lms_accounts.shown_profiles', 'user_id'],
    ['billing', 'invoices', 'lms_billing.usable_invoices', 'user_id'],
    ['learning', 'forum_posts', 'lms_learning.shown_posts', 'user_id'],
    ['analytics', 'log_events', 'lms_analytics.counted_events', 'user_id'],
    ['support', 'tickets', 'lms_support.queue', 'requester_email'],
  ] as const

  test.each(views)('takes what %s has out of use (%s), and lifting puts it back', async (name, dataset, view, key) => {
    const person = await newPerson()
    const { identities, userId: id, email } = person
    const shown = () => house.sql(`select * from ${view} where ${key} = any ($1)`, [[id, email]])
    const others = () => house.sql<{ count: string }>(`select count(*) from ${view} where ${key} <> all ($1)`, [[id, email]])
    const [before, othersBefore, counts] = [await shown(), await others(), await countsOf(name, identities)]
    expect(before).not.toEqual([])

    const restrict = { parameters: { ground: '18_1_a' } }
    expect((await outcomes(name, 'restrict', identities, { ...restrict, dryRun: true }))[dataset]).toEqual(
      completed(counts[dataset] ?? 0),
    )
    expect(await shown()).toEqual(before)
    for (const _twice of [1, 2])
      expect((await outcomes(name, 'restrict', identities, restrict))[dataset]).toEqual(completed(counts[dataset] ?? 0))
    expect(await shown()).toEqual([])
    expect(await others()).toEqual(othersBefore)
    expect(await countsOf(name, identities)).toEqual(counts)

    await outcomes(name, 'lift_restriction', identities)
    expect(await shown()).toEqual(before)
  })

  test('of one dataset leaves the others in use, and lifting does not undo an objection', async () => {
    const { identities, userId: id } = await newPerson()
    const events = () => house.sql('select from lms_analytics.counted_events where user_id = $1', [id])
    await outcomes('analytics', 'restrict', identities, { scope: { datasets: ['devices'] } })
    expect(await events()).not.toEqual([])
    await outcomes('analytics', 'restrict', identities)
    await outcomes('analytics', 'object', identities, { parameters: { purposes: ['analytics'] } })
    await outcomes('analytics', 'lift_restriction', identities)
    expect(await events()).toEqual([])
  })
})

describe('objecting and withdrawing consent', () => {
  const consentsOf = async (id: string) => {
    const rows = await house.sql<{ purpose: string; granted: boolean; withdrawn: boolean }>(
      'select purpose, granted, withdrawn_at is not null as withdrawn from lms_accounts.consents where user_id = $1',
      [id],
    )
    return Object.fromEntries(rows.map(({ purpose, granted, withdrawn }) => [purpose, { granted, withdrawn }]))
  }
  const granted = { granted: true, withdrawn: false }
  const withdrawn = { granted: false, withdrawn: true }
  const agreeing = async () => {
    const person = await newPerson()
    await house.sql('update lms_accounts.consents set granted = true where user_id = $1', [person.userId])
    return person
  }
  const mailed = (id: string) => house.sql('select from lms_accounts.mailing_list where user_id = $1', [id])

  test('to marketing takes the person off the mailing list, and no other', async () => {
    const { identities, userId: id } = await agreeing()
    const other = await agreeing()
    expect(await mailed(id)).toHaveLength(1)
    const task = { parameters: { purposes: ['marketing'], ground: '21_2' } }
    expect(await outcomes('accounts', 'object', identities, { ...task, dryRun: true })).toMatchObject({ consents: completed(1) })
    expect(await consentsOf(id)).toMatchObject({ marketing: granted })
    for (const _twice of [1, 2])
      expect(await outcomes('accounts', 'object', identities, task)).toMatchObject({ consents: completed(1), account: noData })
    expect(await consentsOf(id)).toEqual({ marketing: withdrawn, analytics_cookies: granted, marketing_cookies: granted })
    expect(await mailed(id)).toEqual([])

    await house.sql('update lms_accounts.consents set granted = true where user_id = $1', [id])
    expect(await mailed(id)).toEqual([]) // an objection stands whatever is ticked
    expect(await mailed(other.userId)).toHaveLength(1)
    expect(await consentsOf(other.userId)).toMatchObject({ marketing: granted })
  })

  test('withdraws consent to a purpose and to kinds of cookies', async () => {
    const { identities, userId: id } = await agreeing()
    const task = { parameters: { purposes: ['marketing'], cookies: ['analytics'] } }
    expect(await outcomes('accounts', 'withdraw_consent', identities, { ...task, dryRun: true })).toMatchObject({
      consents: completed(2),
    })
    expect(await outcomes('accounts', 'withdraw_consent', identities, task)).toMatchObject({
      consents: completed(2),
      emails: noData,
    })
    expect(await consentsOf(id)).toEqual({ marketing: withdrawn, analytics_cookies: withdrawn, marketing_cookies: granted })
    expect(await recordsOf('accounts', 'consents', identities)).toContainEqual(
      expect.objectContaining({ purpose: 'marketing', granted: false, withdrawn_at: expect.stringMatching(/^20/) }),
    )
  })

  test.each([
    ['object', { purposes: ['analytics'], ground: '21_1' }],
    ['withdraw_consent', { cookies: ['analytics'] }],
  ])('takes the person out of statistics (%s), and erases nothing', async (action, parameters) => {
    const { identities, userId: id } = await newPerson()
    const events = () => house.sql('select from lms_analytics.counted_events where user_id = $1', [id])
    expect(await events()).toHaveLength(10)
    expect(await outcomes('analytics', action, identities, { parameters })).toEqual({
      log_events: completed(10),
      sessions: completed(3),
      risk_scores: completed(3),
      devices: noData,
    })
    expect(await events()).toEqual([])
    expect(await countsOf('analytics', identities)).toMatchObject({ log_events: 10 })
  })

  test('to what serves security is not decided by the service that holds it', async () => {
    const { identities } = await newPerson()
    const parameters = { purposes: ['security'] }
    expect(await outcomes('analytics', 'object', identities, { parameters })).toMatchObject({
      log_events: { outcome: 'not_supported' },
    })
  })
})

describe('rectifying', () => {
  const correct = (identities: readonly Identity[], corrections: object[], more: object = {}) =>
    outcomes('accounts', 'rectify', identities, { scope: { datasets: ['account'] }, parameters: { corrections }, ...more })

  test('changes what is wrong, once, and reads back as it should be', async () => {
    const { identities, name } = await newPerson()
    const before = await rowsOf()
    const corrections = [
      { dataset: 'account', field: 'name', from: name, to: `Nadia "N" O'Neil` },
      { dataset: 'account', field: 'country', from: 'DE', to: 'FR' },
    ]
    expect(await correct(identities, corrections, { dryRun: true })).toEqual({ account: completed(2) })
    expect(await rowsOf()).toEqual(before)
    for (const _twice of [1, 2]) expect(await correct(identities, corrections)).toEqual({ account: completed(2) })
    expect(await recordsOf('accounts', 'account', identities)).toMatchObject([
      { name: `Nadia "N" O'Neil`, country: 'FR', locale: 'de' },
    ])
    const { 'lms_accounts.users': _changed, ...others } = await rowsOf()
    expect(before).toMatchObject(others)
  })

  test('of one profile field leaves the others', async () => {
    const { identities } = await newPerson()
    const records = () => recordsOf('accounts', 'profile_fields', identities)
    const before = (await records()) as { field: string; value: string }[]
    const from = before[0]?.value ?? ''
    const corrections = [{ dataset: 'profile_fields', field: 'value', from, to: 'Chess' }]
    await outcomes('accounts', 'rectify', identities, { parameters: { corrections } })
    expect(await records()).toEqual(before.map(one => (one.value === from ? { ...one, value: 'Chess' } : one)))
  })

  test('an address makes it one of theirs from now on, unconfirmed, and the former stays known', async () => {
    const { identities, userId: id, email } = await newPerson()
    const to = `New.${email}`
    expect(await correct(identities, [{ dataset: 'account', field: 'email', from: email, to }])).toEqual({
      account: completed(1),
    })
    expect(await recordsOf('accounts', 'account', identities)).toMatchObject([{ email: to }])
    expect((await house.identitiesOf(id)).map(({ value }) => value)).toEqual([
      id,
      to.toLowerCase(),
      email,
      `${id}@former.example.org`,
    ])
    expect(await recordsOf('accounts', 'emails', identities)).toContainEqual(
      expect.objectContaining({ address: to.toLowerCase(), is_primary: true, verified: false }),
    )
  })

  test.each<[string, object, string]>([
    ['what is not as stated', { field: 'city', from: 'Paris', to: 'Rome' }, 'not_as_stated'],
    ['what the service notes itself', { field: 'last_ip', from: '192.0.2.1', to: '::1' }, 'not_correctable'],
    ['an address of somebody else', { field: 'email', to: 'learner7@campus.example' }, 'not_possible'],
    ['a former address of somebody else', { field: 'email', to: 'u-10007@former.example.org' }, 'not_possible'],
    ['a name to none', { field: 'name', to: null }, 'not_possible'],
  ])('refuses %s, and then corrects nothing at all', async (_, wrong, reason) => {
    const { identities, name, email } = await newPerson()
    const before = await rowsOf()
    const stated: Record<string, string> = { name, email }
    const from = stated[(wrong as { field: string }).field] ?? null
    const corrections = [
      { dataset: 'account', field: 'country', from: 'DE', to: 'FR' },
      { dataset: 'account', from, ...wrong },
    ]
    expect(await correct(identities, corrections)).toEqual({ account: { outcome: 'refused', reason } })
    expect(await rowsOf()).toEqual(before)
  })
})
