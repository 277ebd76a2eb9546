import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type ErasureCase, isCompleted, openHonestAdapter, startErasureCase } from '../support/erasure-case.ts'
import { eventually } from '../support/eventually.ts'
import { type Evidence, unpack } from '../support/evidence.ts'
import { KEPT, openKeepingAdapter, openRawAdapter } from '../support/raw-adapter.ts'

const UNIVERSITY = 'University of Colombo'
const REFERENCE = 'Kanari v. Almastack'
const WORDS = 'Kanari: please hurry.'
const POST = { method: 'POST' }
const DAY_HOURS = 24

let one: ErasureCase
let asked: Awaited<ReturnType<ErasureCase['erase']>>
let evidence: Evidence
let hold: string
/** Somebody else’s, placed and released in the same days. */
let othersHold: string

beforeAll(async () => {
  const adapters = [
    await openHonestAdapter('first'),
    await openKeepingAdapter('keeper', { actions: ['locate', 'collect', 'erase', 'restrict'] }),
    await openRawAdapter('school'),
  ]
  one = await startErasureCase(adapters)
  const { config, issuer } = one.service
  config.policy.controllers.push({
    name: UNIVERSITY,
    contact: 'mailto:privacy@university.example',
    email: 'dpo@university.example',
    client: `${issuer.issuers.find(({ kind }) => kind === 'service')?.issuer}|university`,
    adapter: 'school',
    datasets: ['things'],
  })
  asked = await one.erase()
  const { at, id, person, userId } = asked
  await person(`${at}/messages`, { body: { text: WORDS } })
  await one.see(at, ({ state }) => state === 'cooling_off') // one that is held while it is assessed waits for a person's decision
  hold = await heldForATime(userId)
  othersHold = await heldForATime('u-somebody-else')
  await one.coolOff(at)
  await one.see(at, isCompleted)
  const restored = await one.dpo('/v1/restores', { body: { adapter: 'first', restoredTo: '2020-01-01T00:00:00Z' } })
  await eventually(async () => (await one.dpo(`/v1/restores/${restored.body.id}`)).body.state === 'concluded')
  await one.pass(7 * DAY_HOURS)
  await eventually(async () => (await one.events(at)).filter(event => event === 'erasure_confirmed_again').length === 2)
  const stripe = await one.dpo(`${at}/recipients/${encodeURIComponent(await recipient(at))}`, { body: { state: 'acknowledged' } })
  expect(stripe.status).toBe(200)
  evidence = unpack((await one.dpo(`/v1/requests/${id}/evidence`)).bytes)
}, 60_000)
afterAll(async () => {
  evidence?.remove()
  await one.close()
})

async function heldForATime(userId: string): Promise<string> {
  const identities = [{ type: 'user_id', value: userId }]
  const { body } = await one.officer('/v1/holds', { body: { identities, reason: 'litigation', reference: REFERENCE } })
  await one.dpo(`/v1/holds/${body.id}/approval`, POST)
  await one.officer(`/v1/holds/${body.id}/release`, { body: { reason: 'matter_ended' } })
  const { status } = await one.dpo(`/v1/holds/${body.id}/release/approval`, POST)
  expect(status).toBe(200)
  return body.id
}
const recipient = async (at: string) => (await one.dpo(`${at}/recipients`)).body.recipients[0].recipient

describe('the evidence of an erasure', () => {
  test('proves itself', () => {
    expect(evidence.verify()).toMatchObject({ status: 0 })
  })

  test('has the holds that stood in its way while it was open, with who placed and released them, and no others', () => {
    const { holds } = evidence.says('holds.json')
    expect(holds).toMatchObject([
      {
        id: hold,
        state: 'released',
        reason: 'litigation',
        proposed: { by: expect.stringMatching(/\|agent-7$/) },
        approved: { by: expect.stringMatching(/\|dpo-1$/) },
        release: { reason: 'matter_ended', approved: { by: expect.stringMatching(/\|dpo-1$/) } },
      },
    ])
    const recorded = evidence.says('other-streams.json').entries.filter(({ stream }: { stream: string }) => stream === 'holds')
    expect(recorded.map(({ event }: { event: string }) => event)).toEqual([
      'hold_proposed',
      'hold_approved',
      'release_proposed',
      'hold_released',
    ])
    expect(JSON.stringify(recorded)).not.toContain(othersHold)
  })

  test('has who was told, who else has to answer, and what was written when', async () => {
    const [told] = evidence.says('recipients.json').recipients
    expect(told).toMatchObject({ recipient: await recipient(asked.at), action: 'erase', state: 'acknowledged' })
    expect(evidence.says('forwardings.json').forwardings).toMatchObject([
      { controller: UNIVERSITY, datasets: [{ adapter: 'school', dataset: 'things' }], acknowledgedAt: null },
    ])
    const [message, ...others] = evidence.says('messages.json').messages
    expect(others).toEqual([])
    expect(message).toMatchObject({ from: 'person', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) })
  })

  test('has every later look, the backup that was restored, and what the law kept', () => {
    const { rounds, leftovers } = evidence.says('later-rounds.json')
    expect(rounds).toMatchObject([
      { round: 1, kind: 'rescan', found: 0, concludedAt: expect.any(String) },
      { round: 2, kind: 'rescan', found: null, startedAt: null },
      { round: 3, kind: 'replay', found: 0, restoreId: expect.any(String) },
    ])
    expect(leftovers).toEqual([
      expect.objectContaining({ adapter: 'keeper', dataset: 'things', count: 2, until: KEPT.until, erasedAt: null }),
    ])
    const restores = evidence.says('other-streams.json').entries.filter(({ stream }: { stream: string }) => stream === 'restores')
    expect(restores.map(({ event }: { event: string }) => event)).toEqual(['restore_started', 'restore_concluded'])
  })

  test('says nothing of the person, of what they wrote, and of the file of the hold', () => {
    const said = Buffer.concat(evidence.files.map(({ content }) => content)).toString('latin1')
    for (const secret of [asked.userId, asked.email, WORDS, REFERENCE, 'Kanari']) expect(said).not.toContain(secret)
  })
})

describe('that evidence, forged with all its digests,', () => {
  const found = (name: string, change: (text: string) => string): string[] => {
    const copy = evidence.copy()
    copy.forge(name, change)
    const { status, said } = copy.verify()
    copy.remove()
    expect([status, said.at(-1)]).toEqual([1, 'NOT INTACT'])
    return said
  }

  test.each(['holds.json', 'recipients.json', 'forwardings.json', 'later-rounds.json', 'messages.json', 'other-streams.json'])(
    'is found out by its signature: %s',
    name => {
      expect(found(name, text => text.replace(/"20\d\d-/, '"2019-'))).toContain(
        'manifest.json: its signature in manifest.json.sig is not one of public-keys.json',
      )
    },
  )

  test('is found out by the entries themselves where a hold was let go by somebody else', () => {
    const said = found('other-streams.json', text => text.replace('|dpo-1', '|dpo-2'))
    expect(said).toContain('other-streams.json: entry 2 does not match its hash')
  })

  test('is found out by the record where a message is not the one that came', () => {
    const said = found('messages.json', text => text.replace(/"sha256": "./, '"sha256": "x'))
    expect(said).toContain('messages.json: does not match the record')
  })
})

test('a message that was changed where it is kept does not match the record', async () => {
  await one.service.sql(`UPDATE message SET text_sealed = text_sealed || '\\x00'::bytea WHERE request_id = $1`, [asked.id])
  const changed = unpack((await one.dpo(`${asked.at}/evidence`)).bytes)
  expect(changed.verify().said).toEqual(['messages.json: does not match the record', 'NOT INTACT'])
  changed.remove()
})

test('the holds are still told of when nobody knows the person any more', async () => {
  await one.service.sql(
    `UPDATE later_round SET found = 0, started_at = coalesce(started_at, now()), concluded_at = now() WHERE request_id = $1`,
    [asked.id],
  )
  await one.service.sql('UPDATE leftover SET erased_at = now() WHERE request_id = $1', [asked.id])
  one.service.clock.advanceAlone(60 * DAY_HOURS * 3_600_000)
  await one.service.app.handlers['forget-expired']({})
  expect(await one.events(asked.at)).toContain('person_forgotten')
  const later = unpack((await one.as.agent(['dpo'], 'dpo-1')(`${asked.at}/evidence`)).bytes)
  expect(later.says('holds.json').holds.map(({ id }: { id: string }) => id)).toEqual([hold])
  expect(later.verify()).toMatchObject({ status: 0 })
  later.remove()
})
