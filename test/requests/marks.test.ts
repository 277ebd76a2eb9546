import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Database, openDatabase } from '../../src/platform/database.ts'
import { openVault, type Vault } from '../../src/platform/vault.ts'
import { addVaultKey, generateVaultKeyFile } from '../../src/platform/vault-key-file.ts'
import { addIdentities, type Identity, type Provenance } from '../../src/requests/identities.store.ts'
import { liftMarks, MARK_KINDS, type MarkKind, markSubject, marksOf } from '../../src/requests/marks.store.ts'
import { standingOf } from '../../src/requests/standing.ts'
import { casesIn } from '../support/cases.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'

const keyFile = generateVaultKeyFile()
const vault = openVault(keyFile)
const NOTHING = standingOf([])

let created: TestDatabase
let database: Database
beforeAll(async () => {
  created = await createDatabase()
  database = await openDatabase({ url: created.url, role: 'dsar_app', tables: [] })
})
afterAll(async () => {
  await database.close()
  await created.drop()
})

const email = (value: string): Identity => ({ type: 'email', value })
const somebody = () => email(`${randomUUID()}@example.org`)

async function requestOf(identities: Identity[], provenance: Provenance = 'resolved', by: { vault: Vault } = { vault }) {
  const id = await casesIn(database.read).request()
  await addIdentities(by, database.read, id, identities, provenance)
  return id
}
const mark = (requestId: string, kind: MarkKind, of?: string, by: { vault: Vault } = { vault }) =>
  markSubject(by, database.read, { requestId, kind, at: new Date(), ...(of !== undefined && { of }) })
const lift = (requestId: string, kind: MarkKind, of?: string) =>
  liftMarks(database.read, { requestId, kind, at: new Date(), ...(of !== undefined && { of }) })
const standing = async (identities: Identity[], by: { vault: Vault } = { vault }) =>
  standingOf((await marksOf(by, database.read, [identities]))[0] ?? [])

describe('a mark', () => {
  test.each<[MarkKind, string | undefined, object]>([
    ['restricted', undefined, { restricted: true }],
    ['objected', 'marketing', { objectedTo: ['marketing'], suppressed: true }],
    ['objected', 'analytics', { objectedTo: ['analytics'] }],
    ['consent_withdrawn', 'marketing', { consentWithdrawn: { purposes: ['marketing'], cookies: [] } }],
    ['consent_withdrawn', 'cookie:analytics', { consentWithdrawn: { purposes: [], cookies: ['analytics'] } }],
    ['erased', undefined, { erased: true, suppressed: true }],
  ])('%s of %s is told, and nothing else, until it is lifted', async (kind, of, told) => {
    const ana = somebody()
    const id = await requestOf([ana])
    expect(await mark(id, kind, of)).toBe(1)
    expect(await standing([ana])).toEqual({ ...NOTHING, ...told, marks: [expect.objectContaining({ kind })] })
    await lift(id, kind, of)
    expect(await standing([ana])).toEqual(NOTHING)
  })

  test.each<[Provenance, boolean]>([
    ['named', false],
    ['asserted', true],
    ['token', true],
    ['resolved', true],
  ])('on an identity that was %s: %s', async (provenance, marked) => {
    const ana = somebody()
    expect(await mark(await requestOf([ana], provenance), 'restricted')).toBe(marked ? 1 : 0)
    expect((await standing([ana])).restricted).toBe(marked)
  })

  test('is on every identity that was established, and found by any of them beside others', async () => {
    const known = [somebody(), { type: 'user_id', value: randomUUID() }]
    const id = await requestOf(known)
    await addIdentities({ vault }, database.read, id, [email('hearsay@example.org')], 'named')
    expect(await mark(id, 'restricted')).toBe(2)
    for (const one of known) expect((await standing([somebody(), one])).restricted).toBe(true)
    expect(await standing([email('hearsay@example.org')])).toEqual(NOTHING)
  })

  test('is on a value of its type: a user id that reads like an address is another person', async () => {
    const ana = somebody()
    await mark(await requestOf([ana]), 'restricted')
    expect(await standing([{ type: 'user_id', value: ana.value }])).toEqual(NOTHING)
  })

  test('is found however the address is written', async () => {
    await mark(await requestOf([email('Ana.Lang@BÜCHER.example')]), 'restricted')
    for (const value of ['ana.lang@bücher.example', 'ANA.LANG@xn--bcher-kva.example'])
      expect((await standing([email(value)])).restricted).toBe(true)
  })

  test('stays when the request and all it knew are gone', async () => {
    const ana = somebody()
    const id = await requestOf([ana])
    await mark(id, 'erased')
    await database.read.query('DELETE FROM request_identity WHERE request_id = $1', [id])
    expect((await standing([ana])).erased).toBe(true)
    await database.read.query('DELETE FROM dsar_request WHERE id = $1', [id])
    expect((await standing([ana])).erased).toBe(true)
    expect(await mark(id, 'erased')).toBe(0)
  })

  test('made twice is one, since the first time', async () => {
    const id = await requestOf([somebody()])
    const first = new Date('2026-01-01')
    await markSubject({ vault }, database.read, { requestId: id, kind: 'restricted', at: first })
    await mark(id, 'restricted')
    const rows = await database.read.query('SELECT since, lifted_at FROM subject_mark WHERE request_id = $1', [id])
    expect(rows).toEqual([{ since: first, lifted_at: null }])
  })

  test('that was lifted is not made anew by what runs once more, under an identity or a key that came later either', async () => {
    const [ana, later] = [somebody(), somebody()]
    const id = await requestOf([ana])
    await mark(id, 'restricted')
    await lift(id, 'restricted')
    await addIdentities({ vault }, database.read, id, [later], 'resolved')
    await mark(id, 'restricted')
    await mark(id, 'restricted', '', { vault: openVault(addVaultKey(keyFile)) })
    expect(await standing([ana, later])).toEqual(NOTHING)
  })

  test('is found across rotations of the key, both ways while they are under way', async () => {
    const newer = { vault: openVault(addVaultKey(keyFile)) }
    const [before, after] = [somebody(), somebody()]
    await mark(await requestOf([before]), 'restricted')
    await mark(await requestOf([after], 'resolved', newer), 'erased', undefined, newer)
    expect((await standing([before], newer)).restricted).toBe(true)
    expect((await standing([after], newer)).erased).toBe(true)
    expect(await standing([after])).toEqual(NOTHING) // the older file cannot know: all processes get the key before any writes with it
  })

  test('lifted with what is marked under an older key', async () => {
    const newer = { vault: openVault(addVaultKey(keyFile)) }
    const ana = somebody()
    const id = await requestOf([ana])
    await mark(id, 'restricted')
    await mark(id, 'restricted', undefined, newer)
    await lift(id, 'restricted')
    expect(await standing([ana], newer)).toEqual(NOTHING)
  })
})

describe('whatever is marked and lifted in whatever order', () => {
  const OF = ['marketing', 'analytics', 'cookie:analytics']
  const step = fc.record({
    lift: fc.boolean(),
    request: fc.nat(2),
    kind: fc.constantFrom(...MARK_KINDS),
    of: fc.constantFrom(...OF),
  })

  test('a person stands as the requests that are not lifted say', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async steps => {
        // The first two requests are about one person, known by one identity in common; the third is about somebody else.
        const [mail, id, other] = [somebody(), { type: 'user_id', value: randomUUID() }, somebody()]
        const requests = [await requestOf([mail, id]), await requestOf([mail]), await requestOf([other])]
        const model = new Map<string, 'marked' | 'lifted'>()
        for (const { lift: lifts, request, kind, of } of steps) {
          const key = JSON.stringify([request, kind, of])
          const now = model.get(key)
          if (lifts && now === 'marked') model.set(key, 'lifted')
          if (!lifts && now === undefined) model.set(key, 'marked')
          await (lifts ? lift : mark)(requests[request] ?? '', kind, of)
        }
        const inForce = (about: number[]) => {
          const marked = [...model].filter(([, state]) => state === 'marked').map(([key]) => JSON.parse(key))
          const mine = marked.filter(([request]) => about.includes(request)).map(([, kind, of]) => JSON.stringify({ kind, of }))
          return [...new Set(mine)].sort()
        }
        const found = await marksOf({ vault }, database.read, [[mail], [id], [other], [somebody()], [mail, other]])
        expect(found.map(marks => marks.map(({ kind, of }) => JSON.stringify({ kind, of })).sort())).toEqual(
          [[0, 1], [0], [2], [], [0, 1, 2]].map(inForce),
        )
      }),
      { numRuns: 40 },
    )
  })
})
