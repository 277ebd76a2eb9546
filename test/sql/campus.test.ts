import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { checkManifest } from '../../src/policy/check-manifest.ts'
import { loadPolicy } from '../../src/policy/load-policy.ts'
import { sqlConnector } from '../../src/sql/sql-connector.ts'
import { type DescribedDatabase, openDescribed, snapshot } from '../support/described-database.ts'
import { CAMPUS, CAMPUS_ROWS, CAMPUS_SQL } from './campus.ts'

let campus: DescribedDatabase
beforeEach(async () => {
  campus = await openDescribed(CAMPUS, CAMPUS_SQL + CAMPUS_ROWS)
})
afterEach(() => campus.close())

const countsIn = (answer: Awaited<ReturnType<DescribedDatabase['ask']>>) => {
  if (!('datasets' in answer)) throw new Error(JSON.stringify(answer))
  return Object.fromEntries(answer.datasets.map(({ name, count }) => [name, count]))
}
const OF_ANA = { account: 2, discussions: 1, posts: 2, attachments: 5, grades: 2, log: 2142, payments: 2, support: 2 }

describe('a database without foreign keys', () => {
  test('gives a manifest that speaks the language of the policy', async () => {
    const manifest = await sqlConnector(campus.deps).manifest(campus.contact)
    expect(checkManifest(loadPolicy(), manifest)).toEqual([])
    expect(manifest.actions).toEqual(['resolve', 'locate', 'collect', 'rectify', 'erase', 'restrict', 'lift_restriction'])
    expect(manifest.datasets.map(({ name, containsThirdParties }) => [name, containsThirdParties])).toContainEqual([
      'grades',
      true,
    ])
  })

  test('is counted, and what is counted is what comes', async () => {
    const located = await campus.ask('locate', '5')
    expect(located).toMatchObject({ kind: 'result', matched: [{ type: 'user_id', value: '5' }] })
    expect(countsIn(located)).toEqual(OF_ANA)
    const { answer, came } = await campus.collect('5')
    expect(countsIn(answer)).toEqual(OF_ANA)
    expect(came.records.posts).toEqual([
      { subject: 's', message: 'ana asks', created: expect.any(Number) },
      { subject: 's', message: 'ana', created: expect.any(Number) },
    ])
    expect(came.lines).toContain('{"finalgrade":9.50000,"feedback":"good","usermodified":7}')
    expect(came.files.map(({ dataset, name, bytes }) => [dataset, name, bytes.toString('latin1')])).toEqual([
      ['account', 'picture-1', '\x89PNG'],
      ['attachments', 'a.txt', 'hello'],
      ['attachments', 'empty', ''],
    ])
  })

  test('is erased of one person, and nobody else loses a byte', async () => {
    const others = `SELECT json_build_object(
      'users', (SELECT json_agg(u ORDER BY id) FROM mdl_user u WHERE id <> 5), 'posts', (SELECT json_agg(p ORDER BY id) FROM mdl_forum_posts p WHERE userid = 6),
      'files', (SELECT json_agg(a ORDER BY id) FROM mdl_post_attachments a WHERE post = 2), 'log', (SELECT md5(string_agg(l.id::text || l.userid::text || other, '' ORDER BY id)) FROM mdl_logstore_standard_log l WHERE userid = 6),
      'grades', (SELECT json_agg(json_build_array(id, userid, finalgrade, feedback) ORDER BY id) FROM mdl_grade_grades WHERE userid = 6),
      'payments', (SELECT json_agg(p) FROM mdl_payments p WHERE userid = 6), 'support', (SELECT json_agg(s) FROM mdl_support s WHERE requester_email ILIKE 'ben%'))::text AS all`
    const before = await campus.rows(others)
    const erased = await campus.ask('erase', [
      { type: 'user_id', value: '5' },
      { type: 'email', value: 'ana@example.org' },
    ])
    expect(erased).toMatchObject({ kind: 'result' })
    if (erased.kind !== 'result') throw new Error()
    expect(erased.datasets).toContainEqual({
      name: 'payments',
      outcome: 'retained',
      count: 1,
      reason: '17_3_b',
      statute: 'the tax law',
      until: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
    })
    expect(erased.datasets.filter(({ name }) => name !== 'payments').map(({ outcome }) => outcome)).toEqual(
      Array(7).fill('completed'),
    )
    expect(await campus.rows(others)).toEqual(before)
    expect(countsIn(await campus.ask('locate', '5'))).toEqual({
      ...Object.fromEntries(Object.keys(OF_ANA).map(name => [name, 0])),
      payments: 1,
    })
    expect(await campus.rows('SELECT id, userid, message FROM mdl_forum_posts WHERE userid = 0 ORDER BY id')).toEqual([
      { id: 1, userid: 0, message: '' },
      { id: 4, userid: 0, message: '' },
    ])
    expect(await campus.rows('SELECT usermodified FROM mdl_grade_grades WHERE id = 3')).toEqual([{ usermodified: null }])
  })

  test('is erased again, and there is nothing left to do', async () => {
    await campus.ask('erase', '5')
    const after = await snapshot(campus.owner, ['mdl_forum_posts', 'mdl_payments', 'mdl_user'])
    const again = await campus.ask('erase', '5')
    if (again.kind !== 'result') throw new Error(JSON.stringify(again))
    expect(new Set(again.datasets.map(({ outcome }) => outcome))).toEqual(new Set(['no_data', 'retained']))
    expect(await snapshot(campus.owner, ['mdl_forum_posts', 'mdl_payments', 'mdl_user'])).toEqual(after)
    for (const action of ['locate', 'erase'] as const) expect(await campus.ask(action, '99')).toEqual({ kind: 'unknown' })
    expect(await campus.ask('erase', '99', { attempt: 2 })).toMatchObject({ kind: 'result' })
  })

  test('knows who somebody is, since when, and whose addresses are whose', async () => {
    expect(await campus.ask('resolve', [{ type: 'email', value: 'ana@EXAMPLE.org' }])).toEqual({
      kind: 'resolved',
      matched: [{ type: 'email', value: 'ana@EXAMPLE.org' }],
      identities: [
        { type: 'user_id', value: '5' },
        { type: 'email', value: 'Ana@example.org' },
      ],
      contactPoints: [
        { type: 'email', value: 'Ana@example.org', since: expect.stringMatching(/^20\d\d-.*T.*Z$/), verified: true },
      ],
      name: 'Ana',
      locale: 'en',
      status: 'match',
    })
  })

  test.each([
    [{ type: 'user_id', value: '005' }],
    [{ type: 'user_id', value: "5' OR '1'='1" }],
    [{ type: 'user_id', value: '99999999999999999999' }],
    [{ type: 'user_id', value: 'u-5' }],
    [{ type: 'email', value: '%@example.org' }],
    [{ type: 'email', value: "'; DROP TABLE mdl_user; --" }],
    [{ type: 'email', value: 'ana@example.org\u0000' }],
    [{ type: 'phone', value: '5' }],
  ])('knows nobody by %j', async identity => {
    expect(await campus.ask('locate', [identity])).toEqual({ kind: 'unknown' })
    expect(await campus.ask('erase', [identity])).toEqual({ kind: 'unknown' })
  })

  test('mixes up no two people', async () => {
    for (const action of ['locate', 'erase', 'resolve'] as const)
      expect(
        await campus.ask(action, [
          { type: 'user_id', value: '5' },
          { type: 'email', value: 'ben@example.org' },
        ]),
      ).toMatchObject({ kind: 'quarantined' })
  })

  test('is corrected where it is as it was said to be, and restricted and freed', async () => {
    const corrections = [{ dataset: 'account', field: 'firstname', from: 'Ana', to: "Ana'%" }]
    const made = await campus.ask('rectify', '5', { parameters: { corrections } })
    expect(countsIn(made)).toMatchObject({ account: 1 })
    expect(await campus.rows('SELECT firstname FROM mdl_user ORDER BY id')).toEqual([
      { firstname: "Ana'%" },
      { firstname: 'Ben' },
      { firstname: 'Tea' },
    ])
    const again = await campus.ask('rectify', '5', { parameters: { corrections } })
    expect(countsIn(again)).toMatchObject({ account: 1 })
    for (const wrong of [
      { dataset: 'account', field: 'firstname', from: 'Eve', to: 'Mallory' },
      { dataset: 'account', field: 'email', from: 'Ana@example.org', to: 'x@y.org' },
    ]) {
      const refused = await campus.ask('rectify', '5', { parameters: { corrections: [...corrections, wrong] } })
      expect(refused).toMatchObject({
        datasets: expect.arrayContaining([expect.objectContaining({ name: 'account', outcome: 'refused' })]),
      })
    }
    await campus.ask('restrict', '5')
    expect(await campus.rows('SELECT id FROM mdl_user WHERE suspended')).toEqual([{ id: 5 }])
    await campus.ask('lift_restriction', '5')
    expect(await campus.rows('SELECT id FROM mdl_user WHERE suspended')).toEqual([])
  })
})
