import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { READER_OF } from '../../src/delivery/letters/readers.ts'
import { startMailbox } from '../../src/demo/mailbox.ts'
import { callers } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { linkIn } from '../support/letters.ts'
import { type MailServer, startMailServer } from '../support/mail-server.ts'
import { type Service, startService } from '../support/service.ts'

let smtp: MailServer
let service: Service

interface LetterRow {
  id: string
  state: string
  attempts: number
  message_id: string
  recipient_sealed: Buffer | null
  values_sealed: Buffer | null
}

const lettersOf = (id: string, kind = 'ready') =>
  service.sql<LetterRow>('SELECT * FROM letter WHERE request_id = $1 AND kind = $2 ORDER BY id', [id, kind])
const requestOf = async (id: string) =>
  (await service.sql<{ state: string; flags: string[] }>('SELECT state, flags FROM dsar_request WHERE id = $1', [id]))[0]
const eventsOf = async (id: string) =>
  (await service.sql<{ event: string }>('SELECT event FROM audit_entry WHERE stream = $1 ORDER BY seq', [`request:${id}`])).map(
    ({ event }) => event,
  )
const send = (letterId: string) => service.app.handlers['send-letter']({ letterId })
const handOver = (requestId: string) => service.app.handlers['hand-over']({ requestId })
const linkSent = (at: number) => linkIn({ text: (smtp.attempts[at]?.raw ?? '').replaceAll('=\r\n', '') })

/** A request whose package has just been sealed. */
async function sealedRequest(): Promise<string> {
  const userId = randomUUID()
  const { body } = await callers(service).person(userId, `${userId}@example.org`)('/v1/requests', {
    body: { type: 'access', subject: {} },
  })
  await service.sql(`UPDATE dsar_request SET state = 'delivering' WHERE id = $1`, [body.id])
  await service.sql(`INSERT INTO sealed_package VALUES ($1, $2, 1, 1, '', 1, '', now(), now() + interval '14 days')`, [
    body.id,
    `requests/${body.id}/package-1`,
  ])
  return body.id
}

/** The same, with its letter written. */
async function handedOver(): Promise<{ id: string; letter: string }> {
  const id = await sealedRequest()
  await handOver(id)
  const [letter] = await lettersOf(id)
  return { id, letter: letter?.id ?? '' }
}

async function sendAlarms(id: string): Promise<void> {
  service.clock.advance(31 * 86_400_000)
  await service.app.handlers['watch-deadlines']({})
  service.clock.advance(-31 * 86_400_000)
  for (const alarm of await lettersOf(id, 'deadline-alarm')) await send(alarm.id)
}
/** Letters that are about no one request. */
const ABOUT_NONE = ['guessing', 'budget-spent', 'daily-digest']

beforeAll(async () => {
  smtp = await startMailServer()
  service = await startService({ env: { SMTP_URL: smtp.url }, working: false })
})
afterAll(async () => {
  await service.close()
  await smtp.close()
})
beforeEach(() => {
  Object.assign(smtp.says, { recipient: undefined, content: undefined })
  smtp.attempts.length = 0
})

describe('handing over', () => {
  test('makes one link and one letter, however often the job runs', async () => {
    const id = await sealedRequest()
    await Promise.all([handOver(id), handOver(id)])
    await handOver(id)
    expect(await lettersOf(id)).toHaveLength(1)
    expect(await service.sql('SELECT 1 FROM link WHERE request_id = $1', [id])).toHaveLength(1)
  })

  test('is completed by the mail server taking the letter, sent to one person', async () => {
    const { id, letter } = await handedOver()
    expect((await requestOf(id))?.state).toBe('delivering')
    await send(letter)
    expect(await requestOf(id)).toMatchObject({ state: 'completed', flags: [] })
    expect(smtp.attempts).toMatchObject([{ recipients: [expect.stringMatching(/@example\.org$/)] }])
    expect(await lettersOf(id)).toMatchObject([{ state: 'sent', recipient_sealed: null, values_sealed: null }])
  })

  test('of a package that was revoked before, or is past its day, is left to people and tried no more', async () => {
    const officer = callers(service).agent(['privacy_officer'])
    const [revoked, late] = [await sealedRequest(), await sealedRequest()]
    expect((await officer(`/v1/requests/${revoked}/package`, { method: 'DELETE' })).status).toBe(204)
    await service.sql(`UPDATE sealed_package SET expires_at = now() WHERE request_id = $1`, [late])
    for (const id of [revoked, late]) {
      await handOver(id)
      expect(await requestOf(id)).toEqual({ state: 'delivering', flags: ['needs_decision'] })
      expect(await lettersOf(id)).toEqual([])
      const body = { reason: 'duplicate' }
      expect((await officer(`/v1/requests/${id}/cancellation`, { body, headers: { 'if-match': '*' } })).status).toBe(200)
    }
  })

  test('waits, for people to see, where no address is on file', async () => {
    const id = await sealedRequest()
    await service.sql('DELETE FROM contact_point WHERE request_id = $1', [id])
    await handOver(id)
    expect(await requestOf(id)).toMatchObject({ state: 'delivering', flags: ['mail_undeliverable'] })
    expect(await lettersOf(id)).toEqual([])
  })
})

describe('a letter', () => {
  test.each([421, 450, 451, 452])('is tried again when the server says %i, the same to the last byte', async code => {
    const { id, letter } = await handedOver()
    smtp.says.content = code
    await send(letter)
    expect((await requestOf(id))?.state).toBe('delivering')
    expect(await lettersOf(id)).toMatchObject([{ state: 'queued', attempts: 1 }])
    const [job] = await service.sql<{ wait: number }>(
      `SELECT extract(epoch FROM start_after - created_on)::int AS wait FROM pgboss.job
       WHERE name = 'send-letter' AND data->>'letterId' = $1 AND start_after > created_on + interval '1 second'`,
      [letter],
    )
    expect(job?.wait).toBe(2)

    smtp.says.content = undefined
    await send(letter)
    expect((await requestOf(id))?.state).toBe('completed')
    expect(smtp.attempts[1]?.messageId).toBe(smtp.attempts[0]?.messageId)
    expect(linkSent(1)).toBe(linkSent(0))
  })

  test.each([550, 552, 553])(
    'T91 that is refused with %i completes nothing, calls for people, and goes to no other address',
    async code => {
      const { id, letter } = await handedOver()
      smtp.says.recipient = code
      await send(letter)
      expect(await requestOf(id)).toEqual({ state: 'delivering', flags: ['mail_undeliverable'] })
      expect(await lettersOf(id)).toMatchObject([{ state: 'refused', recipient_sealed: null, values_sealed: null }])
      await send(letter)
      expect(smtp.attempts).toEqual([])

      smtp.says.recipient = undefined
      const officer = callers(service).agent(['privacy_officer'])
      expect((await officer(`/v1/requests/${id}/package/links`, { method: 'POST' })).status).toBe(201)
      await send((await lettersOf(id))[1]?.id ?? '')
      expect(await requestOf(id)).toEqual({ state: 'completed', flags: [] })
    },
  )

  test('that has waited for long is seen by people, and goes on being tried', async () => {
    const { id, letter } = await handedOver()
    smtp.says.content = 451
    for (let n = 0; n < 4; n++) await send(letter)
    expect((await requestOf(id))?.flags).toEqual([])
    await send(letter)
    expect((await requestOf(id))?.flags).toEqual(['mail_undeliverable'])
    smtp.says.content = undefined
    await send(letter)
    expect(await requestOf(id)).toEqual({ state: 'completed', flags: [] })
  })

  test('to the officer that arrives does not hide that the person is not reached', async () => {
    const { id, letter } = await handedOver()
    smtp.says.recipient = 550
    await send(letter)
    smtp.says.recipient = undefined
    await sendAlarms(id)
    expect(smtp.attempts).toHaveLength(4)
    expect((await requestOf(id))?.flags).toContain('mail_undeliverable')
  })

  test.each(Object.entries(READER_OF).filter(([kind]) => !ABOUT_NONE.includes(kind)))(
    '%s to the %s that arrives does not hide it either',
    async kind => {
      const { id, letter } = await handedOver()
      smtp.says.recipient = 550
      await send(letter)
      smtp.says.recipient = undefined
      await service.sql(
        `INSERT INTO letter (id, request_id, kind, dedupe, message_id, state, created_at, sent_at)
         VALUES (gen_random_uuid(), $1, $2, $2 || '|' || gen_random_uuid(), gen_random_uuid(), 'sent', now(), now())`,
        [id, kind],
      )
      await sendAlarms(id)
      expect((await requestOf(id))?.flags).toContain('mail_undeliverable')
    },
  )

  test('with a link that no longer works is not sent any more', async () => {
    const { id, letter } = await handedOver()
    const officer = callers(service).agent(['privacy_officer'])
    await officer(`/v1/requests/${id}/package/links`, { method: 'POST' })
    const [, newer] = await lettersOf(id)
    await officer(`/v1/requests/${id}/package`, { method: 'DELETE' })
    await send(letter)
    await send(newer?.id ?? '')
    expect(smtp.attempts).toEqual([])
    expect((await lettersOf(id)).map(({ state }) => state)).toEqual(['superseded', 'superseded'])
    expect((await requestOf(id))?.state).toBe('delivering')
  })

  test('that two workers send at once is put on the record once, and bears one Message-ID', async () => {
    const { id, letter } = await handedOver()
    const other = await service.connect()
    await other.query('BEGIN')
    await other.query('SELECT 1 FROM dsar_request WHERE id = $1 FOR UPDATE', [id])
    const both = [send(letter), send(letter)]
    await eventually(async () => smtp.attempts.length === 2)
    await other.query('COMMIT')
    await Promise.all(both)
    expect(new Set(smtp.attempts.map(({ messageId }) => messageId)).size).toBe(1)
    expect((await eventsOf(id)).filter(event => event === 'letter_sent' || event === 'handed_over')).toHaveLength(2)
  })
})

describe('a transaction that breaks', () => {
  afterEach(async () => {
    await service.sql('DROP TRIGGER IF EXISTS broken ON letter; DROP TRIGGER IF EXISTS broken ON audit_entry')
  })
  beforeAll(async () => {
    await service.sql(
      `CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken by the test'; END $$`,
    )
  })

  test('between the 250 of the server and the commit makes the same mail go out again, recognisable as one', async () => {
    const { id, letter } = await handedOver()
    await service.sql('CREATE TRIGGER broken BEFORE UPDATE ON letter EXECUTE FUNCTION break()')
    await expect(send(letter)).rejects.toThrow()
    expect((await requestOf(id))?.state).toBe('delivering')
    await service.sql('DROP TRIGGER broken ON letter')
    await send(letter)
    expect((await requestOf(id))?.state).toBe('completed')
    expect(smtp.attempts).toHaveLength(2)
    expect(smtp.attempts[1]?.messageId).toBe(smtp.attempts[0]?.messageId)
    expect(linkSent(1)).toBe(linkSent(0))
  })

  test('because the record cannot be written leaves no link, no letter and no job', async () => {
    const id = await sealedRequest()
    const jobs = await service.sql('SELECT id FROM pgboss.job')
    await service.sql('CREATE TRIGGER broken BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION break()')
    await expect(handOver(id)).rejects.toThrow()
    const officer = callers(service).agent(['privacy_officer'])
    expect((await officer(`/v1/requests/${id}/package/links`, { method: 'POST' })).status).toBe(500)
    expect(await lettersOf(id)).toEqual([])
    expect(await service.sql('SELECT 1 FROM link WHERE request_id = $1', [id])).toEqual([])
    expect(await service.sql('SELECT id FROM pgboss.job')).toEqual(jobs)
  })
})

test('a mail server that was away gets the letter by itself when it is back', async () => {
  const gone = await startMailbox()
  await gone.close()
  const working = await startService({ env: { SMTP_URL: gone.smtpUrl } })
  const closing = [() => working.close()]
  try {
    const { body } = await callers(working).person('u-eva', 'eva@example.org')('/v1/requests', {
      body: { type: 'access', subject: {} },
    })
    await working.app.handlers.acknowledge({ requestId: body.id })
    await eventually(async () => (await working.sql('SELECT 1 FROM letter WHERE attempts > 0')).length > 0)
    const [written] = await working.sql<LetterRow>('SELECT * FROM letter WHERE attempts > 0')
    const back = await startMailbox({ smtpPort: Number(new URL(gone.smtpUrl).port) })
    closing.unshift(() => back.close())
    const mail = await back.waitFor(({ messageId }) => messageId === written?.message_id, 10_000)
    expect(mail.envelope.to).toEqual(['eva@example.org'])
  } finally {
    for (const close of closing) await close()
  }
})
