import { type Ended, inEffect, restricts } from './ended.ts'
import { categoryOf, NAMES } from './holdings.ts'
import { type Case, ERASES, HOUR_MS, userOf, type World } from './world.ts'

const CHANGES = new Set(['rectify', 'erase', 'restrict', 'lift_restriction', 'object', 'withdraw_consent'])

/** No content before proof, and no change before approval and cooling off are over. */
export function begunTooEarly(one: Ended): string[] {
  const { right, provenAt, approvedAt, openedAt, heard, body } = one
  const isWeighed = right === 'objection' && body.details?.purposes?.some(purpose => purpose !== 'marketing')
  const coolsOff = ERASES.has(right) ? ['erase'] : body.details?.lifts && one.by !== 'officer' ? ['lift_restriction'] : []
  return heard.flatMap(({ action, adapter, begunAt }) => {
    const cooled = Math.max(openedAt, Number.isFinite(provenAt) ? provenAt : 0) + 24 * HOUR_MS
    const needsWord = (action === 'object' && isWeighed) || (action === 'erase' && right === 'under_age_report')
    return [
      action !== 'resolve' && begunAt < provenAt && `${action} before proof`,
      coolsOff.includes(action) && begunAt < cooled && `${action} before it cooled off`,
      needsWord && (approvedAt === 0 || begunAt < approvedAt) && `${action} before approval`,
    ].flatMap(wrong => (wrong ? [`${adapter} was asked to ${wrong}`] : []))
  })
}

/** The same thing is asked for in the same words, however often; and only by a request that asks for such a thing. */
export function askedInOtherWords({ heard }: Ended): string[] {
  const words = new Map<string, string>()
  return heard.flatMap(({ adapter, action, key, task: { subject, scope, parameters, legalGround } }) => {
    const told = JSON.stringify([parameters, legalGround])
    const wrong = [
      [key, JSON.stringify([told, subject, scope, action])],
      ...(CHANGES.has(action) ? [[`${adapter} ${action}`, told]] : []),
    ].some(([about = '', said = '']) => (words.get(about) ?? said) !== said || !words.set(about, said))
    return wrong ? [`${adapter} was asked to ${action} in other words than before`] : []
  })
}

/** What ended without being granted changed nothing, and nothing is begun for what has ended but what an erasure still owes. */
export function changedInVain({ view, right, heard }: Ended): string[] {
  const closedAt = Date.parse(view.closedAt)
  const mayStop = right === 'under_age_report' // the account stands still while it is looked into
  const granted = view.state === 'completed'
  return heard.flatMap(({ action, adapter, begunAt, changed }) => {
    if (!CHANGES.has(action)) return []
    if (begunAt > closedAt && !(granted && ERASES.has(right) && action === 'erase'))
      return [`${adapter} was asked to ${action} when it was over`]
    return changed && !granted && !(mayStop && action === 'restrict') ? [`${action} at ${adapter}, but it is ${view.state}`] : []
  })
}

const ASKED_AS: Record<string, string> = { confirm_erased: 'locate', read_back: 'collect' }

/** Nobody is asked to let go of what another restriction of the same person has them leave alone, which may be in force only since. */
const isNeedless = ({ person, body }: Ended, { action, datasets }: Ended['tasks'][number], all: readonly Ended[]): boolean =>
  action === 'lift_restriction' &&
  datasets.length === 0 &&
  all.some(other => other.person === person && restricts(other) && other.id !== body.details?.lifts)

/** Nothing is completed with a dataset of which nothing was heard, or an erasure that was not looked into. */
export function completedTooSoon(one: Ended, all: readonly Ended[]): string[] {
  const { view, tasks, heard, entries, right } = one
  if (view.state !== 'completed') return []
  const settled = new Set(entries.filter(({ event }) => event === 'task_settled_by_hand').map(({ facts }) => facts.taskId))
  const answersOf = (adapter: string, action: string) =>
    heard.filter(each => each.adapter === adapter && each.action === action && each.answer !== undefined)
  const unanswered = tasks
    .filter(({ action, asked }) => action !== 'resolve' && asked.length > 0)
    .filter(task => !isNeedless(one, task, all))
    .filter(task => !settled.has(task.id) && answersOf(task.adapter, ASKED_AS[task.action] ?? task.action).length === 0)
  const aboutData = !['inquiry', 'automated_decision_review'].includes(right)
  const unasked = ['archive', 'ledger'].filter(name => aboutData && !tasks.some(({ adapter }) => adapter === name))
  return [
    ...tasks.filter(({ action, state }) => action !== 'resolve' && state !== 'done').map(({ action }) => `${action} is not done`),
    ...unanswered.map(({ adapter, action }) => `${adapter} has not answered ${action}`),
    ...unasked.map(adapter => `${adapter} was not asked`),
    ...(ERASES.has(right) ? unverified(one) : []),
    ...(view.completeness?.complete ? copiedShort(one) : []),
  ].map(wrong => `${wrong}, but it is completed`)
}

/** A copy that calls itself complete has everything that had been counted. */
function copiedShort({ heard, tasks }: Ended): string[] {
  if (!tasks.some(({ action }) => action === 'collect')) return []
  return ['archive', 'ledger'].flatMap(adapter => {
    const said = (action: string) => {
      const last = heard.findLast(each => each.adapter === adapter && each.action === action && each.answer)?.answer
      return last && last !== 'unknown' ? last.datasets : []
    }
    const copied = (name: string) => said('collect').find(one => one.name === name)?.count ?? 0
    return said('locate').flatMap(({ name, count = 0 }) =>
      copied(name) < count ? [`${adapter} handed over too few ${name}`] : [],
    )
  })
}

/** An adapter that erased was searched afterwards, before it was said, and held no more than it had said it keeps. */
function unverified({ heard, view }: Ended): string[] {
  const before = heard.filter(({ answer, begunAt }) => answer && begunAt <= Date.parse(view.closedAt))
  return [...new Set(before.filter(({ action }) => action === 'erase').map(({ adapter }) => adapter))].flatMap(adapter => {
    const theirs = before.filter(each => each.adapter === adapter)
    const erased = theirs.findLast(({ action }) => action === 'erase')
    const looked = theirs.findLast(({ action }) => action === 'locate')
    if (!erased || !looked || theirs.indexOf(looked) < theirs.indexOf(erased)) return [`${adapter} was not searched`]
    if (looked.answer === 'unknown' || erased.answer === 'unknown' || !looked.answer || !erased.answer) return []
    const kept = new Map(erased.answer.datasets.map(({ name, outcome, count = 0 }) => [name, outcome === 'retained' ? count : 0]))
    const left = looked.answer.datasets.filter(({ name, count = 0 }) => count > (kept.get(name) ?? 0))
    return left.map(({ name }) => `${adapter} still counted ${name}`)
  })
}

/** Whether a request is about a dataset. */
const isAbout = ({ body: { scope } }: Case, dataset: string): boolean =>
  scope === undefined || scope.categories.includes(categoryOf(dataset))

/** Where somebody was erased nothing is held in the end, unless a backup that nobody spoke of brought it back after the last look. */
export function stillHeld(world: World, one: Ended): string[] {
  if (!ERASES.has(one.right) || one.view.state !== 'completed') return []
  const stays = inEffect(one).flatMap(({ kind, parts }) => (kind === 'refuse_partly' && parts ? [parts] : []))
  const lastLook = Date.parse(one.view.closedAt) + 30 * 24 * HOUR_MS
  return world.adapters.flatMap(({ raw: { name: adapter }, shelf }) => {
    const unseen = world.broughtBack.some(
      each => each.adapter === adapter && each.person === one.person && !each.told && each.at > lastLook,
    )
    const isRefused = (dataset: string) =>
      stays.some(
        ({ categories = [], datasets = [] }) =>
          (dataset === 'traces' && categories.includes('usage')) ||
          datasets.some(each => each.adapter === adapter && each.dataset === dataset),
      )
    return NAMES.filter(
      name => isAbout(one, name) && !isRefused(name) && shelf.of(userOf(one.person), name).length > 0 && !unseen,
    ).map(name => `${adapter} still holds ${name} of ${userOf(one.person)}`)
  })
}
