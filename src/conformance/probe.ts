import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer } from '../adapters/answer.ts'
import { CALL_LIMITS } from '../adapters/call-limits.ts'
import type { CollectSink } from '../adapters/collect-stream.ts'
import type { Contact } from '../adapters/fetch-manifest.ts'
import type { Connector } from '../adapters/kinds.ts'
import type { Identity, Manifest, TaskCall } from '../adapters/protocol.ts'
import type { Clock } from '../platform/clock.ts'
import type { CallbackPost } from './callback-post.ts'
import { gather, type LookFor, type Pile } from './gather.ts'
import { Objection } from './objection.ts'
import type { Wire } from './wire.ts'

export type ActionName = Manifest['actions'][number]
export type Result = Extract<Answer, { kind: 'result' }>
type Final = Exclude<Answer, { kind: 'accepted' | 'later' | 'failed' | 'quarantined' }>

/** What the checks look through: tasks asked as the service asks them, and answers judged as it judges them. */
export interface Probe {
  manifest: Manifest
  wire: Wire
  /** One person with data there, another, and somebody who does not exist: in kinds of identity that the adapter understands. */
  known: readonly Identity[]
  other: readonly Identity[]
  nobody: readonly Identity[]
  /** The known person, where one was given. */
  somebody: readonly Identity[]
  callbacks: CallbackPost | undefined
  clock: Clock
  /** Addresses and problems that the adapter told so far. */
  said: readonly string[]
  patienceMs: number
  /** A task as the service writes it, about all datasets unless told otherwise. */
  task(action: ActionName, identities: readonly Identity[], more?: Partial<TaskCall>): TaskCall
  /** Waits for what is promised. @throws Objection for anything that is no answer the service could use */
  ask(task: TaskCall, sink?: CollectSink): Promise<Final>
  /** How much there is, by dataset; nothing of somebody who is not known. */
  locate(identities: readonly Identity[], datasets?: readonly string[]): Promise<ReadonlyMap<string, number>>
  collect(identities: readonly Identity[], datasets?: readonly string[], lookFor?: LookFor): Promise<ReadonlyMap<string, Pile>>
  /** One change, asked for whole: the outcome of each dataset in scope, or undefined where the person is not known. */
  change(task: TaskCall): Promise<Result | undefined>
}

interface ProbeInput extends Omit<Probe, 'somebody' | 'task' | 'ask' | 'locate' | 'collect' | 'change'> {
  connector: Connector
  contact: Contact
  pace(): Promise<void>
}

const DAY_MS = 24 * 60 * 60 * 1000

export function openProbe({ connector, contact, pace, ...input }: ProbeInput): Probe {
  const { manifest, clock } = input
  const all = manifest.datasets.map(({ name }) => name)
  const askOnce = async (task: TaskCall, sink: CollectSink | undefined, location: string | undefined): Promise<Answer> => {
    await pace()
    return connector.ask({
      ...contact,
      batch: 1,
      task,
      limits: CALL_LIMITS,
      ...(sink && { sink }),
      ...(location && { location }),
    })
  }
  const task: Probe['task'] = (action, identities, more = {}) => ({
    taskId: randomUUID(),
    requestId: randomUUID(),
    action,
    attempt: 1,
    dryRun: false,
    subject: { identities },
    scope: { datasets: action === 'resolve' ? [] : all },
    parameters: {},
    dueAt: new Date(clock.now().getTime() + DAY_MS).toISOString(),
    regulation: 'gdpr',
    ...more,
  })
  const ask: Probe['ask'] = async (asked, sink) => {
    const waits = waitsWithin(input.patienceMs)
    let location: string | undefined
    for (;;) {
      const answer = await askOnce(asked, sink, location)
      const seconds = secondsToWait(answer)
      if (seconds === undefined) return final(answer)
      if (answer.kind === 'accepted') location = answer.location
      if (!(await waits(seconds))) throw new Objection(`${asked.action} was put off for longer than this check waits.`)
    }
  }
  return {
    ...input,
    somebody: input.known.length > 0 ? input.known : input.nobody,
    task,
    ask,
    async locate(identities, datasets = all) {
      const answer = await ask(task('locate', identities, { scope: { datasets } }))
      return new Map(resultOf(answer)?.datasets.map(({ name, count = 0 }) => [name, count]))
    },
    async collect(identities, datasets = all, lookFor) {
      const { sink, piles } = gather(lookFor)
      const answer = await ask(task('collect', identities, { scope: { datasets } }), sink)
      if (answer.kind !== 'collected' && answer.kind !== 'unknown') throw new Objection('A collect brought no collection.')
      return piles
    },
    change: async asked => resultOf(await ask(asked)),
  }
}

function resultOf(answer: Final): Result | undefined {
  if (answer.kind === 'unknown') return undefined
  if (answer.kind !== 'result') throw new Objection('The answer is to another action.')
  return answer
}

/** Undefined where there is nothing to wait for. */
function secondsToWait(answer: Answer): number | undefined {
  if (answer.kind === 'accepted') return answer.retryAfterSeconds
  return answer.kind === 'later' && answer.code === 'busy' ? (answer.afterSeconds ?? 1) : undefined
}

/** Waits, and says whether there was the time to. */
function waitsWithin(patienceMs: number): (seconds: number) => Promise<boolean> {
  let left = patienceMs
  return async seconds => {
    if (left <= 0) return false
    const ms = Math.min(Math.max(seconds, 0.1) * 1000, left)
    left -= ms
    await sleep(ms)
    return true
  }
}

function final(answer: Answer): Final {
  if (answer.kind === 'quarantined') throw new Objection(`The answer would be put in quarantine: ${answer.reason}.`)
  if (answer.kind === 'later' || answer.kind === 'failed') throw new Objection(`No answer (${answer.code}): ${answer.detail}.`)
  if (answer.kind === 'accepted') throw new Objection('The answer was put off.')
  return answer
}
