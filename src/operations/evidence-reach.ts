import { entriesAbout, type RecordedEntry } from '../audit/entries.ts'
import { viewEntry } from '../audit/entry-view.ts'
import { HOLDS, RESTORES } from '../audit/record.ts'
import type { DsarRequest } from '../domain/request.ts'
import { forwardingsOf } from '../fulfilment/forwardings.store.ts'
import { roundsOf } from '../fulfilment/later-rounds.store.ts'
import { leftoversOf } from '../fulfilment/leftovers.store.ts'
import { viewHold } from '../holds/hold-view.ts'
import { findHolds } from '../holds/holds.store.ts'
import { jsonFile, type TagFile } from '../packaging/bag.ts'
import type { Clock } from '../platform/clock.ts'
import type { Tx } from '../platform/database.ts'
import { TOUCHES_EVIDENCE } from '../requests/assess.ts'
import { heldBy } from '../requests/held.ts'
import type { IdentityDeps } from '../requests/identities.store.ts'
import { noticesOf } from '../tasks/recipients.store.ts'

export interface ReachDeps extends IdentityDeps {
  clock: Clock
}

/**
 * What a request reached beyond itself, a file for each matter: holds that stood in its way, recipients, other controllers, and
 * what was looked for again; with the entries of the record that stand in the streams of those matters.
 */
export async function reachOf(
  deps: ReachDeps,
  tx: Tx,
  request: DsarRequest,
  entries: readonly RecordedEntry[],
): Promise<TagFile[]> {
  const holdIds = await holdsOver(deps, tx, request, entries)
  const { holds } = await findHolds(deps, tx, { ids: holdIds }, deps.clock.now(), { limit: 10_000 })
  const rounds = await roundsOf(tx, request.id)
  const restoreIds = rounds.flatMap(({ restoreId }) => restoreId ?? [])
  const elsewhere = [
    ...(await entriesAbout(tx, HOLDS, 'hold', holdIds)),
    ...(await entriesAbout(tx, RESTORES, 'restore', restoreIds)),
  ]
  return [
    jsonFile('holds.json', {
      holds: holds.map(hold => {
        const { reference: _file, note: _words, ...told } = viewHold(hold, deps.clock.now())
        return told
      }),
    }),
    jsonFile('recipients.json', { recipients: await noticesOf(tx, request.id) }),
    jsonFile('forwardings.json', {
      forwardings: (await forwardingsOf(tx, request.id)).map(({ requestId: _ours, client: _theirs, ...told }) => told),
    }),
    jsonFile('later-rounds.json', {
      rounds,
      // What an adapter wrote in words of its own stays out.
      leftovers: (await leftoversOf(tx, request.id)).map(({ statute: _words, ...told }) => told),
    }),
    jsonFile('other-streams.json', { entries: elsewhere.map(viewEntry) }),
  ]
}

/** By the person as long as they are known, and by what was written down when they were forgotten. */
async function holdsOver(deps: ReachDeps, tx: Tx, { id, right, receivedAt }: DsarRequest, entries: readonly RecordedEntry[]) {
  if (!TOUCHES_EVIDENCE.has(right)) return []
  const forgotten = entries.find(({ event }) => event === 'person_forgotten')
  return forgotten ? (forgotten.facts.holds as string[]) : heldBy(deps, tx, id, receivedAt)
}
