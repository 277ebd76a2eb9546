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

/** Erases nothing, and from then on counts nothing: a collect still brings it all. */
function hidingWhatWasErased(): Meddling {
  const erased = new Set<string>()
  return {
    task(task) {
      if (task.action !== 'erase' || task.dryRun) return task
      for (const name of task.scope.datasets) erased.add(name)
      return { ...task, dryRun: true }
    },
    answer(answer, asked) {
      if (asked?.action !== 'locate' || answer.status !== 200) return answer
      const { datasets, ...told } = JSON.parse(answer.body.toString()) as { datasets: { name: string }[] }
      const hidden = datasets.map(one => (erased.has(one.name) ? { name: one.name, outcome: 'no_data', count: 0 } : one))
      return { ...answer, body: Buffer.from(JSON.stringify({ ...told, datasets: hidden })) }
    },
  }
}

test('the sample as it is passes, also when somebody only stands in between', async () => {
  for (const report of [
    await checkMutant(),
    await checkBehind({}),
    await checkBehind({ silences: [] }),
    await checkBehind({ tells: body => body }),
  ])
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
      ['unknown_person', 'matched', 'batch', 'nobody_changed'],
    ],
    ['it corrects what never stood there', [/and name in \(\?1, \?3\)/, 'and ?3 is not null'], ['rectified_as_stated']],
    [
      'it says that it corrected, and did not',
      [/set name = \?1 (.*) name in \(\?1, \?3\)/, 'set name = name $1 name in (?1, ?3) or 1'],
      ['rectified_as_stated', 'rectified', 'change_given_up'],
    ],
    [
      'restricting takes data away',
      [/update (\S+) set restricted = 1/, 'delete from $1'],
      ['restricted', 'objected', 'consent_withdrawn', 'erased_is_gone'],
    ],
    [
      'a correction spoils something else',
      [/(rectify\(\{ id \}.*)/, '$1 if (!task.dryRun) changed("update orders set amount = amount + 1 where customer = ?", id)'],
      ['rectified_as_stated', 'rectified'],
    ],
    [
      'it names a hash that it does not know',
      [/\{ type: 'email' \}/, "{ type: 'email', formats: ['raw', 'sha256'] }"],
      ['hashed'],
    ],
    ['it takes two people for one', [/if \(another\)/, 'if (another === "")'], ['ambiguous']],
  ])('%s', async (_what, change, expected) => {
    expect(failedIn(await checkMutant(change))).toEqual(expected)
  })

  const json = (value: unknown) => Buffer.from(JSON.stringify(value))
  const answerTo =
    (method: string, from: number, to: number): Meddling['answer'] =>
    (answer, _asked, by) =>
      by === method && answer.status === from ? { ...answer, status: to } : answer
  const instead =
    (code: string, other: ReturnType<NonNullable<Meddling['answer']>>): Meddling['answer'] =>
    answer =>
      answer.body.includes(code) ? other : answer
  const inBatches = (answersOf: (answers: { status: number; body?: { taskId: string } }[]) => object): Meddling => ({
    answer: answer =>
      answer.body.includes('"answers":')
        ? { ...answer, body: json(answersOf(JSON.parse(answer.body.toString()).answers)) }
        : answer,
  })
  test.each<[string, Meddling, string[]]>([
    ['it leaves a task of a batch out', inBatches(answers => ({ answers: answers.slice(1) })), ['batch']],
    [
      'it counts otherwise in a batch',
      inBatches(answers => JSON.parse(JSON.stringify({ answers }).replaceAll('"count":', '"count":9'))),
      ['batch'],
    ],
    [
      'it has the whole of a batch refused for one',
      inBatches(answers => ({
        answers: answers.map(one => (answers.some(({ status }) => status === 422) ? { ...one, status: 422 } : one)),
      })),
      ['batch'],
    ],
    [
      'it answers a task of a batch with what is another’s',
      inBatches(answers => ({
        answers: answers.map(one => ({ ...one, ...(one.body && { body: { ...one.body, taskId: 't' } }) })),
      })),
      ['batch'],
    ],
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
        'batch_unsigned',
        'given_up',
      ],
    ],
    [
      'it collects whatever the scope',
      {
        task: task => (task.action === 'collect' ? { ...task, scope: { datasets: ['orders', 'newsletter', 'profile'] } } : task),
      },
      ['scope'],
    ],
    ['it overlooks that a run is dry', { task: task => ({ ...task, dryRun: false }) }, ['dry_run', 'rectified_dry']],
    [
      'it overlooks that a correction is dry',
      { task: task => (task.action === 'rectify' ? { ...task, dryRun: false } : task) },
      ['rectified_dry'],
    ],
    [
      'it does what it is sent again again',
      {
        task: task => (task.action === 'erase' ? { ...task, taskId: randomUUID() } : task),
        answer: (answer, asked) =>
          asked?.action === 'erase' && answer.status === 200
            ? { ...answer, body: json({ ...JSON.parse(answer.body.toString()), taskId: asked.taskId }) }
            : answer,
      },
      ['erase_replayed', 'erased_at_once'],
    ],
    ['it hides what it said that it erased', hidingWhatWasErased(), ['erased_is_gone']],
    [
      'it keeps less than it says',
      {
        answer: (answer, asked) =>
          asked?.action === 'erase' && answer.status === 200 && !asked.dryRun
            ? {
                ...answer,
                body: json({
                  ...JSON.parse(answer.body.toString()),
                  datasets: asked.scope.datasets.map(name => ({
                    ...{ name, outcome: 'retained', count: 4, reason: '17_3_e', until: '2099-12-31' },
                  })),
                }),
              }
            : answer,
      },
      ['erased_is_gone'],
    ],
    ['it gives up what it made', { answer: answerTo('DELETE', 409, 204) }, ['change_given_up']],
    ['it cannot give a promise up', { answer: answerTo('DELETE', 204, 404) }, ['given_up']],
    ['it calls back with something else', { tells: body => body.replace(/"count":\d+/, '"count":99') }, ['callback']],
    [
      'it says of whom it cannot look for that nobody is known',
      { answer: instead('no_usable_identity', { status: 204, headers: {}, body: Buffer.alloc(0) }) },
      ['unusable_identity', 'batch'],
    ],
    [
      'it takes a correction of any field',
      { answer: instead('unknown_field', { status: 204, headers: {}, body: Buffer.alloc(0) }) },
      ['unknown_field'],
    ],
    [
      'it answers 404 to whom it does not know',
      { answer: answer => (answer.status === 204 ? { ...answer, status: 404 } : answer) },
      [
        'unknown_person',
        'given_up',
        'nobody_changed',
        'erased_in_scope',
        'erased_is_gone',
        'others_untouched',
        'erase_replayed',
        'erased_at_once',
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
        'erased_at_once',
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
      ['promised', 'callback', 'given_up', 'change_given_up'],
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
