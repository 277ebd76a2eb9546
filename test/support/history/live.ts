import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import type { Right } from '../../../src/domain/rights.ts'
import { type Act, hasEnded, perform } from './acts.ts'
import { type Ended, readEnd } from './ended.ts'
import { settle } from './settle.ts'
import { history } from './steps.ts'
import { take } from './take.ts'
import { expectedStanding, offTheRecord, promisedTooLate, refusedAgainstTheLaw } from './truths-of-the-record.ts'
import { askedInOtherWords, begunTooEarly, changedInVain, completedTooSoon, stillHeld } from './truths-of-the-wire.ts'
import { type Case, openWorld, PEOPLE, userOf, type World } from './world.ts'

const STEPS = 32
/** How many more histories of each right are lived, with seeds of their own; more by hand, to look for what nobody thought of. */
const SEEDS = Number(process.env.HISTORY_SEEDS ?? 1)

/**
 * Lives histories of one right: those that went wrong once, and new ones.
 * @throws naming the seed, and all that happened and never may
 */
export async function liveHistories(right: Right, kept: readonly number[] = []): Promise<void> {
  const fresh = Array.from({ length: SEEDS }, (_, n) => (Date.now() + 7919 * n) % 2 ** 31)
  for (const seed of [...kept, ...fresh]) {
    const wrong = await live(right, seed)
    if (wrong.length > 0) throw new Error(`The history of ${right} with seed ${seed} went wrong; keep it:\n${wrong.join('\n')}`)
  }
}

async function live(right: Right, seed: number): Promise<string[]> {
  const [{ startDay, steps } = { startDay: 0, steps: [] }] = fc.sample(history(right, STEPS), { seed, numRuns: 1 })
  const world = await openWorld(startDay)
  try {
    for (const one of steps) await take(world, one)
    await settle(world)
    return await judge(world)
  } finally {
    await world.close()
  }
}

/** How a request stands in the end: what is tried once more in a second is not stuck. */
async function endOf(world: World, one: Case): Promise<Awaited<ReturnType<World['look']>>> {
  for (const end = Date.now() + 5000; ; ) {
    const seen = await world.look(one)
    if (hasEnded(seen) || Date.now() > end) return seen
    await sleep(50)
  }
}

/** What was wrong in a history that is over, by all that can be seen from outside. */
async function judge(world: World): Promise<string[]> {
  const ended: Ended[] = []
  for (const one of world.cases) {
    const before = await endOf(world, one)
    if (hasEnded(before)) await tryToChange(world, one)
    const end = await readEnd(world, one)
    ended.push(end)
    if (!hasEnded(before)) world.violations.push(await howItIsStuck(world, one, before))
  }
  const wrong = ended.flatMap(one =>
    [
      ...begunTooEarly(one),
      ...askedInOtherWords(one),
      ...changedInVain(one),
      ...completedTooSoon(one, ended),
      ...offTheRecord(one),
      ...refusedAgainstTheLaw(one),
      ...promisedTooLate(one),
      ...stillHeld(world, one),
    ].map(what => `${one.right} ${one.id}: ${what}`),
  )
  const { body: verdict } = await world.officer('/v1/audit/verify', { body: {} })
  const known = new Set(world.cases.map(({ id }) => id))
  const strangers = world.adapters.flatMap(({ heard }) => heard.filter(({ requestId }) => !known.has(requestId)))
  return [
    ...world.violations,
    ...wrong,
    ...(await falseStandings(world, ended)),
    ...(verdict.intact ? [] : [`the record: ${JSON.stringify(verdict)}`]),
    ...strangers.map(({ action }) => `${action} for a request that nobody knows`),
  ]
}

async function howItIsStuck({ service }: World, { right, id }: Case, { state, flags }: Case['views'][number]): Promise<string> {
  const tasks = await service.sql<{ how: string }>(
    `SELECT concat_ws(' ', action, 'at', adapter, 'round', round, state, 'attempt', attempt, problem ->> 'code') AS how FROM task
     WHERE request_id = $1 AND state NOT IN ('done', 'cancelled')`,
    [id],
  )
  return `${right} ${id} is stuck: ${state} ${flags}; ${tasks.map(({ how }) => how).join('; ')}`
}

const REFUSAL = { ground: 'cannot_identify', reasons: 'For these reasons.' }
const IN_VAIN: Act[] = [
  { name: 'decide', body: { kind: 'approve' } },
  { name: 'decide', body: { kind: 'refuse', ...REFUSAL } },
  ...(['cancel', 'withdraw', 'extend', 'write'] as const).map(name => ({ name })),
]

/** Whoever tries to change what has ended is told that it has; or, where it is not theirs, that it is not there. */
async function tryToChange(world: World, one: Ended | World['cases'][number]): Promise<void> {
  const etag = (await world.officer(one.at)).headers.get('etag') ?? ''
  const answers = await Promise.all(IN_VAIN.map(act => perform(world, one, act, etag)))
  answers.forEach(({ status, body }, i) => {
    const told = status === 409 || (IN_VAIN[i]?.name === 'withdraw' && (status === 403 || status === 404))
    if (!told) world.violations.push(`${JSON.stringify(IN_VAIN[i])} after the end: ${status} ${JSON.stringify(body)}`)
  })
}

async function falseStandings(world: World, ended: readonly Ended[]): Promise<string[]> {
  const subjects = Array.from({ length: PEOPLE }, (_, n) => ({ identities: [{ type: 'user_id', value: userOf(n) }] }))
  const { body } = await world.as.service()('/v1/subjects/lookup', { body: { subjects } })
  return subjects.flatMap((_, n) => {
    const { marks, ...told } = body.subjects[n]
    if (!Array.isArray(marks)) return [`${userOf(n)} is looked up without a time`]
    const [is, should] = [told, expectedStanding(ended, n)].map(one =>
      JSON.stringify({ ...one, objectedTo: one.objectedTo.toSorted() }),
    )
    return is === should ? [] : [`${userOf(n)} is looked up as ${is} instead of ${should}`]
  })
}
