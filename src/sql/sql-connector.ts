import type { Answer } from '../adapters/answer.ts'
import type { AdapterCall } from '../adapters/call-adapter.ts'
import { CALL_LIMITS } from '../adapters/call-limits.ts'
import type { Contact } from '../adapters/fetch-manifest.ts'
import type { Connector } from '../adapters/kinds.ts'
import type { Manifest, TaskCall } from '../adapters/protocol.ts'
import { dayIn } from '../domain/day.ts'
import { type Fault, Problem } from '../domain/problem.ts'
import type { Clock } from '../platform/clock.ts'
import { OutboundError } from '../platform/outbound.ts'
import { readCatalogue } from './catalogue.ts'
import { collect } from './collect.ts'
import { type ConnectDeps, contactFaults, type Login, roleOf, withDatabase } from './connect.ts'
import type { Description } from './description.ts'
import { erase } from './erase.ts'
import { type Found, findSubject } from './find-subject.ts'
import { isError } from './finding.ts'
import { lint } from './lint.ts'
import { answered, locate } from './locate.ts'
import { manifestOf } from './manifest-of.ts'
import { findDescribed, type Model, tablesOf } from './model.ts'
import { readDescription } from './read-description.ts'
import { rectify } from './rectify.ts'
import { rememberChanges } from './remember.ts'
import { resolve } from './resolve.ts'
import { restrict } from './restrict.ts'
import { inTransaction, type Session } from './session.ts'
import { answerTo } from './trouble.ts'

export interface SqlDeps extends ConnectDeps {
  clock: Clock
  /** Of the controller. */
  timeZone: string
}

/** Rows that one transaction of an erasure changes at most. */
const BATCH = 1000

/** PostgreSQL databases that a description makes into adapters. Their `settings` hold it, their `credentials` two roles. */
export function sqlConnector(deps: SqlDeps): Connector {
  const changes = rememberChanges(deps.clock)
  return {
    manifest: contact => askDatabase(deps, contact),
    ask(call) {
      const asked = () => ask(deps, call).catch(answerTo)
      return changesAnything(call.task) ? changes.once(call.task, asked) : asked()
    },
  }
}

const refused = (errors: readonly Fault[]): Problem =>
  new Problem('manifest_refused', 'The description cannot be used as it stands.', { errors: errors.slice(0, 50) })

const within = (faults: readonly Fault[], place: string): Fault[] =>
  faults.map(({ pointer, detail }) => ({ pointer: `${place}${pointer}`, detail }))

function descriptionIn({ settings }: Contact): Description {
  const read = readDescription(settings.description)
  if ('faults' in read) throw refused(within(read.faults, '/settings/description'))
  return read.description
}

/** Holds the description against the database before anything rests on it. @throws Problem `manifest_refused`, `address_refused` */
async function askDatabase(deps: SqlDeps, contact: Contact): Promise<Manifest> {
  const faults = contactFaults(contact)
  if (faults.length > 0) throw refused(faults)
  const description = descriptionIn(contact)
  const [reader, eraser] = [roleOf(contact, 'reader'), roleOf(contact, 'eraser')]
  const roles = { ...(reader && { reader }), ...(eraser && { eraser }) }
  try {
    const { model, findings } = await withDatabase(deps, contact, 'reader', session => lint(session, description, roles))
    const errors = findings.filter(isError)
    if (!model || errors.length > 0) throw refused(within(errors, '/settings/description'))
    if (eraser) await withDatabase(deps, contact, 'eraser', session => session.query('SELECT 1'))
    return manifestOf(model, eraser !== undefined)
  } catch (error) {
    if (error instanceof Problem) throw error
    if (error instanceof OutboundError && error.reason === 'egress_denied')
      throw new Problem('address_refused', 'This database may not be called from here.')
    const trouble = answerTo(error)
    throw new Problem('manifest_refused', 'detail' in trouble ? `The database could not be asked: ${trouble.detail}.` : undefined)
  }
}

const CHANGES: ReadonlySet<string> = new Set(['erase', 'rectify', 'restrict', 'lift_restriction'])
const changesAnything = ({ action, dryRun }: TaskCall): boolean => CHANGES.has(action) && !dryRun

async function ask(deps: SqlDeps, call: AdapterCall): Promise<Answer> {
  const { task, signal } = call
  const description = descriptionIn(call)
  const login: Login = changesAnything(task) ? 'eraser' : 'reader'
  if (roleOf(call, login) === undefined) return { kind: 'failed', code: 'refused', detail: 'there is nobody who may change it' }
  const deadline = AbortSignal.timeout((call.limits ?? CALL_LIMITS).totalMs)
  const ending = signal ? AbortSignal.any([signal, deadline]) : deadline
  return withDatabase(deps, call, login, session => carryOut(deps, session, description, call), ending)
}

async function carryOut(deps: SqlDeps, session: Session, description: Description, call: AdapterCall): Promise<Answer> {
  const { task } = call
  const read = async (): Promise<Answer | { model: Model; found: Found }> => {
    const { model, findings } = findDescribed(description, await readCatalogue(session, { only: tablesOf(description) }))
    const [missing] = findings
    if (!model)
      return { kind: 'failed', code: 'not_valid', detail: `the database is no longer as described: ${missing?.pointer}` }
    const who = await findSubject(session, model, task)
    if (who.kind === 'nobody') return { kind: 'unknown' }
    if (who.kind === 'several') return { kind: 'quarantined', reason: 'the identities are those of more people than one' }
    return changesAnything(task) ? { model, found: who.found } : await readFor(session, model, who.found, call)
  }
  const answer = await inTransaction(session, 'reading', read)
  if ('kind' in answer) return answer
  const { model, found } = answer
  const datasets = await change(deps, session, { model, found, task })
  // An earlier attempt may have erased them and died before it could say so.
  const isAgain = task.action === 'erase' && task.attempt > 1 && found.byKey
  return isAgain ? { kind: 'result', matched: found.matched, datasets } : answered(found, datasets)
}

async function readFor(
  session: Session,
  model: Model,
  found: Found,
  { task, limits = CALL_LIMITS, sink }: AdapterCall,
): Promise<Answer> {
  if (task.action === 'resolve') return (await resolve(session, model, found)) ?? { kind: 'unknown' }
  if (task.action !== 'collect' || task.dryRun) return answered(found, await locate(session, model, found, task))
  if (!sink) throw new Error('A collect needs a sink.')
  return collect({ session, model, found, task, limits, sink })
}

function change(
  { clock, timeZone }: SqlDeps,
  session: Session,
  { model, found, task }: { model: Model; found: Found; task: TaskCall },
) {
  if (task.action === 'erase') return erase(session, model, found, task, { today: dayIn(clock.now(), timeZone), batch: BATCH })
  return task.action === 'rectify' ? rectify(session, model, found, task) : restrict(session, model, found, task)
}
