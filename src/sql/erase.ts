import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { DatasetAnswer, TaskCall } from '../adapters/protocol.ts'
import type { Day } from '../domain/day.ts'
import { type Change, clearing, type Erasing, statementsFor } from './erase-statements.ts'
import { type ErasureSteps, erasureSteps } from './erasure-steps.ts'
import type { Found } from './find-subject.ts'
import { countOf, entriesIn, keptOf } from './locate.ts'
import type { Entry, Model } from './model.ts'
import { inTransaction, numberOf, type Session } from './session.ts'
import { qualified } from './sql-text.ts'

export interface EraseOptions {
  today: Day
  batch: number
  /** Called when a batch has been committed. */
  onBatch?: () => void | Promise<void>
}

interface Done {
  count: number
  /** Why it could not go on. */
  reason?: string
}

/**
 * Erases what the scope names, table by table and batch by batch, each in a transaction of its own: whoever is interrupted goes on where
 * it stood, for what was erased is no longer found. Then everything is counted anew, and only that says whether it is erased.
 */
export async function erase(
  session: Session,
  model: Model,
  found: Found,
  task: TaskCall,
  { onBatch, ...options }: EraseOptions,
): Promise<DatasetAnswer[]> {
  const steps = erasureSteps(model)
  const inScope = new Set(entriesIn(model, task))
  const erasing: Erasing = { model, found, ...options, salt: randomBytes(32).toString('hex') }
  const done = new Map<string, Done>()
  const run = (statements: readonly Change[], isTogether: boolean) => changeRows(session, { statements, isTogether, onBatch })
  for (const link of steps.cleared.filter(({ from, to }) => inScope.has(from) && inScope.has(to)))
    await run([clearing(erasing, link)], false)
  for (const group of groupsOf(steps, inScope)) {
    const isTogether = group.deferred.length > 0
    const eraseTable = (entry: Entry) => run(statementsFor(erasing, entry), isTogether)
    const wholes = isTogether ? await together(session, group, eraseTable) : undefined
    for (const entry of group.entries) done.set(entry.name, wholes?.get(entry.name) ?? (await eraseTable(entry)))
  }
  return inTransaction(session, 'reading', async () => {
    const outcomes: DatasetAnswer[] = []
    for (const entry of inScope) outcomes.push(await outcomeOf(session, erasing, entry, done.get(entry.name) ?? { count: 0 }))
    return outcomes
  })
}

interface Group {
  entries: Entry[]
  deferred: ErasureSteps['deferred']
}

/** Tables one by one, but for those that a foreign key in a circle makes go together. */
function groupsOf({ order, deferred }: ErasureSteps, inScope: ReadonlySet<Entry>): Group[] {
  const groups: Group[] = []
  for (const entry of order.filter(one => inScope.has(one))) {
    const keys = deferred.filter(({ together }) => together.includes(entry.name))
    const last = groups.at(-1)
    const joins = last?.deferred.some(({ together }) => together.includes(entry.name))
    if (last && joins) {
      last.entries.push(entry)
      last.deferred.push(...keys.filter(key => !last.deferred.includes(key)))
    } else groups.push({ entries: [entry], deferred: keys })
  }
  return groups
}

async function together(session: Session, { entries, deferred }: Group, run: (entry: Entry) => Promise<Done>) {
  const done = new Map<string, Done>()
  try {
    await inTransaction(session, 'changing', async () => {
      const keys = deferred.map(({ schema, key }) => qualified({ schema, name: key.name }))
      await session.query(`SET CONSTRAINTS ${keys.join(', ')} DEFERRED`)
      for (const entry of entries) done.set(entry.name, await run(entry))
    })
  } catch (error) {
    const reason = refusalOf(error)
    for (const { name } of entries) done.set(name, { count: 0, reason })
  }
  return done
}

interface Work {
  statements: readonly Change[]
  isTogether: boolean
  onBatch: EraseOptions['onBatch']
}

async function changeRows(session: Session, { statements, isTogether, onBatch }: Work): Promise<Done> {
  const done: Done = { count: 0 }
  const run = <T>(what: () => Promise<T>) => (isTogether ? what() : inTransaction(session, 'changing', what))
  try {
    for (const { text, values, outstanding } of statements) {
      const [row] = await run(() => session.query(outstanding.text, outstanding.values))
      // A trigger may undo what is changed, and then it would never end.
      for (let left = numberOf(row), changed = 1; left > 0 && changed > 0; left -= changed) {
        changed = await run(() => session.change(text, values))
        done.count += changed
        if (!isTogether && changed > 0) await onBatch?.()
      }
    }
  } catch (error) {
    if (isTogether) throw error
    done.reason = refusalOf(error)
  }
  return done
}

/** Rows of somebody else that point at what should go, or a rule that what should stay would break: a person has to look. @throws all else */
function refusalOf(error: unknown): string {
  if (error instanceof pg.DatabaseError && error.code === '23503') return 'still_referenced'
  if (error instanceof pg.DatabaseError && error.code?.startsWith('23')) return 'not_possible'
  throw error
}

async function outcomeOf(session: Session, erasing: Erasing, entry: Entry, { count, reason }: Done): Promise<DatasetAnswer> {
  const { model, found, today } = erasing
  const { name } = entry
  const stands = await countOf(session, model, found, entry)
  const kept = await keptOf(session, model, found, { entry, today })
  if (reason !== undefined) return { name, outcome: 'failed', count, reason }
  if (stands > kept.count) return { name, outcome: 'partially_completed', count, reason: 'still_there' }
  const { reason: because = '17_3_b', statute } = entry.described.erase
  if (kept.count > 0)
    return { name, outcome: 'retained', count: kept.count, reason: because, until: kept.until, ...(statute && { statute }) }
  return count > 0 ? { name, outcome: 'completed', count } : { name, outcome: 'no_data', count: 0 }
}
