import { randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from '@jest/globals'
import { type Meddling, meddle } from './meddler.ts'
import { check, failedIn, startSample } from './sample.ts'

const open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const it of open.splice(0)) await it.close()
})

async function checkMutant(change?: readonly [RegExp, string]) {
  const sample = await startSample(change)
  open.push(sample)
  return check(sample.url, sample.secret)
}

async function checkBehind(meddling: Meddling) {
  const sample = await startSample()
  const meddler = await meddle(sample, meddling)
  open.push(meddler, sample)
  return check(meddler.url, sample.secret)
}

test('the sample as it is passes, also when somebody only stands in between', async () => {
  for (const report of [await checkMutant(), await checkBehind({}), await checkBehind({ silences: [] })])
    expect([failedIn(report), report.passed]).toEqual([[], true])
})

describe('an adapter fails the check that is about what it does wrong, when', () => {
  test.each<[string, readonly [RegExp, string], string[]]>([
    ['it counts one too many', [/count\(\*\) as n/, 'count(*) + 1 as n'], ['counts']],
    ['it counts all people', [/as n from (\S+) where (\S+) = \?/, 'as n from $1 where $2 <> ? or 1'], ['counts']],
    ['it erases everybody', [/delete from (\S+) where (\S+) = \?/, 'delete from $1 where $2 <> ? or 1'], ['others_untouched']],
    [
      'it says that it erased, and did not',
      [/delete from (\S+) where/, 'update $1 set restricted = 0 where'],
      ['erased_is_gone'],
    ],
    [
      'it hands over what is others’',
      [/(select \S+ from \S+ where \S+) = \? order/, '$1 <> ? or 1 order'],
      ['counts', 'people_apart', 'others_untouched'],
    ],
    ['it repeats the identities it was asked about', [/matched: found.map.*identity\)/, 'matched: identities'], ['matched']],
    [
      'it knows people whom it does not',
      [/return id === (\w+) \?.*/, 'return { id: id ?? "", matched: [...identities] }'],
      ['unknown_person', 'matched', 'nobody_changed'],
    ],
    ['it corrects what never stood there', [/and name in \(\?1, \?3\)/, 'and ?3 is not null'], ['rectified_as_stated']],
    [
      'it says that it corrected, and did not',
      [/set name = \?1 (.*) name in \(\?1, \?3\)/, 'set name = name $1 name in (?1, ?3) or 1'],
      ['rectified_as_stated', 'rectified'],
    ],
    [
      'restricting takes data away',
      [/update (\S+) set restricted = 1/, 'delete from $1'],
      ['restricted', 'objected', 'consent_withdrawn', 'erased_is_gone'],
    ],
  ])('%s', async (_what, change, expected) => {
    expect(failedIn(await checkMutant(change))).toEqual(expected)
  })

  const json = (value: unknown) => Buffer.from(JSON.stringify(value))
  test.each<[string, Meddling, string[]]>([
    [
      'it takes any call',
      { signsAnew: true },
      [
        'unsigned_refused',
        'wrongly_signed_refused',
        'old_refused',
        'future_refused',
        'altered_refused',
        'key_is_task',
        'promised',
      ],
    ],
    [
      'it collects whatever the scope',
      {
        task: task => (task.action === 'collect' ? { ...task, scope: { datasets: ['orders', 'newsletter', 'profile'] } } : task),
      },
      ['scope', 'rectified'],
    ],
    ['it overlooks that a run is dry', { task: task => ({ ...task, dryRun: false }) }, ['dry_run']],
    [
      'it does what it is sent again again',
      {
        task: task => (task.action === 'erase' ? { ...task, taskId: randomUUID() } : task),
        answer: (answer, asked) =>
          asked?.action === 'erase' && answer.status === 200
            ? { ...answer, body: json({ ...JSON.parse(answer.body.toString()), taskId: asked.taskId }) }
            : answer,
      },
      ['erase_replayed'],
    ],
    [
      'it answers 404 to whom it does not know',
      { answer: answer => (answer.status === 204 ? { ...answer, status: 404 } : answer) },
      [
        'unknown_person',
        'nobody_changed',
        'erased_in_scope',
        'erased_is_gone',
        'others_untouched',
        'erase_replayed',
        'erased_twice',
      ],
    ],
    [
      'it answers emptily to whom it does not know',
      {
        answer: (answer, asked) =>
          answer.status === 204 && asked
            ? {
                status: 200,
                headers: { 'content-type': 'application/json' },
                body: json({ taskId: asked.taskId, matched: [], datasets: [] }),
              }
            : answer,
      },
      [
        'unknown_person',
        'nobody_changed',
        'erased_in_scope',
        'erased_is_gone',
        'others_untouched',
        'erase_replayed',
        'erased_twice',
      ],
    ],
    [
      'it compresses',
      {
        answer: answer => ({
          ...answer,
          headers: { ...answer.headers, 'content-encoding': 'gzip' },
          body: gzipSync(answer.body),
        }),
      },
      [
        'uncompressed',
        'unsigned_refused',
        'wrongly_signed_refused',
        'old_refused',
        'future_refused',
        'altered_refused',
        'rotation',
        'manifest',
      ],
    ],
    ['it calls back without a signature', { silences: ['webhook-signature'] }, ['callback']],
    [
      'its promises are kept elsewhere',
      {
        answer: answer =>
          answer.status === 202 ? { ...answer, headers: { ...answer.headers, location: 'http://127.0.0.1:1/x' } } : answer,
      },
      ['promised', 'callback'],
    ],
    [
      'it takes a key for any task',
      { task: task => ({ ...task, taskId: task.action === 'collect' ? randomUUID() : task.taskId }) },
      ['key_reused', 'dry_run'],
    ],
    [
      'it says in a problem whom it was asked about',
      {
        answer: answer =>
          answer.status === 422
            ? {
                ...answer,
                body: json({ type: 'about:blank', title: 'x', status: 422, detail: 'customer-u-1 of one@example.org' }),
              }
            : answer,
      },
      ['impersonal'],
    ],
  ])('%s', async (_what, meddling, expected) => {
    expect(failedIn(await checkBehind(meddling))).toEqual(expected)
  })
})
