import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { TWINS } from '../../src/demo/lms/population.ts'
import { PROFILES, type Profile } from '../../src/demo/lms/profiles.ts'
import { seedPerson } from '../../src/demo/lms/seed-person.ts'
import { isPortable } from '../../src/domain/rights.ts'
import { checkManifest } from '../../src/policy/check-manifest.ts'
import { loadPolicy } from '../../src/policy/load-policy.ts'
import { linesOf } from '../adapter-kit/caller.ts'
import { email, type LmsCalls, NAMES, openLms, userId } from './lms-calls.ts'

let house: LmsCalls

beforeAll(async () => {
  house = await openLms()
})
afterAll(async () => {
  await house.close()
  expect(house.errors).toEqual([])
})

test('every manifest speaks the language of the privacy policy', async () => {
  const manifests = await house.manifests()
  expect(manifests.map(({ name }) => name)).toEqual(NAMES)
  for (const manifest of manifests) expect(checkManifest(loadPolicy(), manifest)).toEqual([])
  const portable = manifests.flatMap(({ datasets }) => datasets.filter(isPortable).map(({ name }) => name))
  expect(portable).toEqual(expect.arrayContaining(['account', 'forum_posts', 'submission_files', 'invoices', 'devices']))
  expect(portable).not.toEqual(expect.arrayContaining(['risk_scores']))
  expect(portable).not.toEqual(expect.arrayContaining(['linked_logins']))
  expect(portable).not.toEqual(expect.arrayContaining(['grades']))
})

describe.each<Profile>(['light', 'typical', 'heavy'])('of a person who is %s', profile => {
  const id = `u-${profile}`

  test('what is located is what is collected', async () => {
    const person = {
      userId: id,
      email: `Name.${profile}@campus.example`,
      name: 'Zoë "Z" Müller',
      country: 'DE',
      profile,
      seed: 5,
    }
    await seedPerson(house.databaseUrl, person)
    const { all, text } = await house.everythingOf(id)
    for (const { located, lines, end } of all) {
      const sent = Map.groupBy(lines.slice(0, -1), line => line.dataset as string)
      for (const { name, count, outcome } of located.datasets) {
        expect([name, sent.get(name)?.length ?? 0]).toEqual([name, count])
        expect(outcome).toBe(count === 0 ? 'no_data' : 'completed')
        expect(end.counts[name]).toBe(count)
      }
    }
    const counts = Object.assign({}, ...all.map(({ end }) => end.counts))
    const { posts, logs, files } = PROFILES[profile]
    expect(counts).toMatchObject({ account: 1, forum_posts: posts, log_events: logs, submission_files: files })
    expect(text).not.toContain('argon2')
    expect(text).not.toContain('learner7@')
  })

  test('every file arrives as long as announced', async () => {
    const lines = await linesOf(await house.ask('learning', 'collect', [userId(id)]))
    const files = lines.flatMap(line => (line.file ? [line.file as { size: number; base64?: string; url?: string }] : []))
    expect(new Set(files.map(file => (file.base64 === undefined ? 'linked' : 'inline')))).toEqual(
      profile === 'light' ? new Set(['inline']) : new Set(['inline', 'linked']),
    )
    for (const { size, base64, url } of files.slice(0, 60)) {
      const bytes = base64 === undefined ? await (await fetch(url ?? '')).arrayBuffer() : Buffer.from(base64, 'base64')
      expect(bytes.byteLength).toBe(size)
    }
  })
})

describe('two people of one name', () => {
  test('never meet in an answer', async () => {
    for (const [one, other] of [TWINS, TWINS.toReversed()] as (typeof TWINS)[]) {
      const { text } = await house.everythingOf(one.userId)
      expect(text).toContain(one.email)
      expect(text).not.toContain(other.email)
      expect(text).not.toContain(other.userId)
    }
  })

  test('asked about together are held when resolved and refused otherwise', async () => {
    const both = [userId(TWINS[0].userId), email(TWINS[1].email)]
    const held = await (await house.ask('accounts', 'resolve', both)).json()
    expect(held).toMatchObject({ status: 'hold', contactPoints: [], identities: [] })
    expect((await house.ask('accounts', 'collect', both)).status).toBe(422)
    const ids = TWINS.map(twin => userId(twin.userId))
    expect((await house.ask('billing', 'collect', ids)).status).toBe(422)
  })
})

describe('resolving', () => {
  test('finds all addresses of a person, whatever the case of the one asked about', async () => {
    const resolved = await (await house.ask('accounts', 'resolve', [email('Learner7@Campus.Example')])).json()
    expect(resolved).toMatchObject({
      status: 'match',
      matched: [email('Learner7@Campus.Example')],
      identities: [userId('u-10007'), email('learner7@campus.example'), email('u-10007@former.example.org')],
      contactPoints: [{ value: 'learner7@campus.example', verified: true, since: '2024-11-15T00:00:00.000Z' }, {}],
    })
  })

  test('of nobody is 204, as is everything else about nobody', async () => {
    expect((await house.ask('accounts', 'resolve', [email('nobody@campus.example')])).status).toBe(204)
    for (const name of ['accounts', 'billing', 'learning', 'analytics'])
      expect((await house.ask(name, 'collect', [userId('u-nobody')])).status).toBe(204)
    expect((await house.ask('support', 'collect', [email('nobody@campus.example')])).status).toBe(204)
  })

  test('of an account in the hands of others gives no contact point', async () => {
    await house.sql(`update lms_accounts.users set compromised = true where user_id = 'u-10009'`)
    const resolved = await (await house.ask('accounts', 'resolve', [userId('u-10009')])).json()
    expect(resolved).toMatchObject({ status: 'suspected_fraud', contactPoints: [] })
  })
})

test('the same seed makes the same data, and seeding again changes nothing', async () => {
  const person = {
    userId: 'u-once',
    email: 'once@campus.example',
    name: 'Once',
    country: 'FR',
    profile: 'light',
    seed: 9,
  } as const
  await seedPerson(house.databaseUrl, person)
  const first = (await house.everythingOf('u-once')).text
  await seedPerson(house.databaseUrl, person)
  const withoutIds = (text: string) => text.replaceAll(/task-\d+/g, '')
  expect(withoutIds((await house.everythingOf('u-once')).text)).toBe(withoutIds(first))
})
