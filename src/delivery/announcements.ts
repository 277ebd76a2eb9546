import { dayIn } from '../domain/day.ts'
import type { Details } from '../domain/details.ts'
import type { DsarRequest } from '../domain/request.ts'
import type { Tx } from '../platform/database.ts'
import type { Said } from './letters/letters.ts'
import { type LetterDeps, writeLetterToSubject, writeToEveryContact } from './write-letters.ts'

type ErasureGround = Said<'erasure-announced'>['ground']

/** Says what is going to happen and until when it can be stopped, before it does: to everybody who could have asked for it. */
export async function writeAnnouncement(deps: LetterDeps, tx: Tx, request: DsarRequest, details: Details): Promise<void> {
  const { right, timeZone, coolsOffAt } = request
  if (!coolsOffAt) throw new Error(`Request ${request.id} cools off without an end.`)
  const end = coolsOffAt.toISOString()
  if (details.lifts)
    return writeLetterToSubject(deps, tx, request, {
      kind: 'restriction-to-be-lifted',
      values: { liftsOn: dayIn(coolsOffAt, timeZone) },
    })
  if (right === 'under_age_report')
    return writeToEveryContact(deps, tx, request, { kind: 'under-age-restricted', values: { contestUntil: end, timeZone } })
  const ground = (details.ground ?? '17_1_a') as ErasureGround
  return writeToEveryContact(deps, tx, request, {
    kind: 'erasure-announced',
    values: { right, ground, coolsOffAt: end, timeZone },
  })
}
