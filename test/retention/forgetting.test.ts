import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { type AnsweredRequest, answeredRequest } from '../support/answered-request.ts'
import { callers } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { type Service, startService } from '../support/service.ts'
import { ANA, BEN, type House, hostsOf, openHouse, registerAll } from '../support/small-house.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

let house: House
let service: Service

const forget = () => service.app.handlers['forget-expired']({})
const closeCase = (requestId: string) => service.app.handlers['close-case']({ requestId })
const rows = async (table: string, id: string) => service.sql(`SELECT * FROM ${table} WHERE request_id = $1`, [id])
const recorded = async (id: string, event: string) =>
  (await service.sql('SELECT 1 FROM audit_entry WHERE stream = $1 AND event = $2', [`request:${id}`, event])).length
const blobsOf = (id: string): string[] => {
  const folder = join(service.blobDir, 'requests', id)
  return existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap(e => (e.isFile() ? e.name : []))
    : []
}

/** Runs what is given as so many days later. */
async function later(days: number, work: () => Promise<void>): Promise<void> {
  service.clock.advance(days * DAY)
  await work().finally(() => service.clock.advance(-days * DAY))
}

/** Puts a file among the blobs that was last written so many minutes ago. */
function aBlob(key: string, minutesOld: number): string {
  const path = join(service.blobDir, key)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, 'sealed')
  const then = new Date(Date.now() - minutesOld * 60_000)
  utimesSync(path, then, then)
  return path
}

beforeAll(async () => {
  house = await openHouse({
    datasets: {
      attachments: {
        title: 'Attachments',
        category: 'content',
        origin: 'provided',
        purposes: ['provide_service'],
        legalBases: ['contract'],
        recipients: [],
        retention: 'account_data',
        fields: [],
        count: () => 1,
        files: () => [{ name: 'a.txt', mediaType: 'text/plain', content: Buffer.alloc(100_000, 'a') }],
      },
    },
  })
  service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(house) } })
  await registerAll(house, callers(service).agent(['operator']), service)
  await service.sql('DELETE FROM pgboss.schedule') // only the tests sweep here
  await service.sql(
    `CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken by the test'; END $$`,
  )
})
afterAll(async () => {
  await service.close()
  await house.close()
})

describe('what was collected', () => {
  test('is held once: the pieces go when the package is sealed, and the package stays', async () => {
    const { id, link } = await answeredRequest(service, ANA)
    expect(blobsOf(id).filter(name => name.includes('attachments'))).toHaveLength(1)
    await Promise.all([forget(), forget()])
    expect(await rows('part', id)).toEqual([])
    expect(blobsOf(id)).toEqual([expect.stringMatching(/^package-/)])
    const { body } = await callers(service).person(ANA.userId, ANA.email)(link, { body: {} })
    expect((await callers(service).anybody(new URL(body.contentUrl).pathname)).bytes.length).toBe(body.bytes)
  })
})

describe('a package past its day', () => {
  test('stays to the last moment, and is destroyed once, however many sweep', async () => {
    const { id } = await answeredRequest(service, ANA)
    await later(service.config.packageDays - 0.01, forget)
    expect(await rows('request_key', id)).toHaveLength(1)
    await later(service.config.packageDays, async () => {
      await Promise.all([forget(), forget(), forget()])
    })
    expect([await rows('request_key', id), blobsOf(id), await recorded(id, 'package_destroyed')]).toEqual([[], [], 1])
    const [link] = await service.sql('SELECT revoked_at FROM link WHERE request_id = $1', [id])
    expect(link?.revoked_at).not.toBeNull()
  })

  test.each([
    ['after the key', (id: string) => service.sql('DELETE FROM request_key WHERE request_id = $1', [id])],
    ['after the bytes', async (id: string) => later(service.config.packageDays, () => broken('sealed_package', id, forget))],
  ])('is destroyed to the end by the next sweep when one was killed %s', async (_when, killed) => {
    const { id } = await answeredRequest(service, ANA)
    await killed(id)
    expect(await recorded(id, 'package_destroyed')).toBe(0)
    await later(service.config.packageDays, forget)
    expect([await rows('request_key', id), blobsOf(id), await recorded(id, 'package_destroyed')]).toEqual([[], [], 1])
  })

  test('that cannot be destroyed just now does not keep others from it', async () => {
    const [stuck, other] = [await answeredRequest(service, ANA), await answeredRequest(service, BEN)]
    await later(service.config.packageDays, () => broken('request_key', stuck.id, forget))
    expect([await rows('request_key', stuck.id), await rows('request_key', other.id)].map(({ length }) => length)).toEqual([1, 0])
    await later(service.config.packageDays, forget)
    expect(await rows('request_key', stuck.id)).toEqual([])
  })
})

/** The same work, with the rows of a request in a table refusing every change. */
async function broken(table: string, id: string, work: () => Promise<void>): Promise<void> {
  await service.sql(
    `CREATE TRIGGER broken BEFORE UPDATE OR DELETE ON ${table} FOR EACH ROW WHEN (OLD.request_id = '${id}') EXECUTE FUNCTION break()`,
  )
  await expect(work()).rejects.toThrow('could not be done')
  await service.sql(`DROP TRIGGER broken ON ${table}`)
}

describe('a request that ends without an answer', () => {
  /** As if the package had been sealed, and nothing been sent yet. */
  async function sealed(): Promise<AnsweredRequest> {
    const request = await answeredRequest(service, ANA)
    await service.sql(`UPDATE dsar_request SET state = 'delivering', closed_at = NULL WHERE id = $1`, [request.id])
    return request
  }

  async function nothingIsLeft(id: string, link: string): Promise<void> {
    expect([await rows('request_key', id), await rows('part', id), blobsOf(id)]).toEqual([[], [], []])
    expect((await callers(service).anybody(link)).status).toBe(410)
  }

  test('because the person took it back loses what was collected', async () => {
    const { id, at, link } = await sealed()
    expect((await callers(service).person(ANA.userId, ANA.email)(`${at}/withdrawal`, { method: 'POST' })).status).toBe(200)
    await eventually(async () => (await recorded(id, 'collected_data_destroyed')) === 1 && blobsOf(id).length === 0)
    await nothingIsLeft(id, link)
  })

  test.each(['cancelled', 'lapsed'])('because it was %s, too, and is on the record once', async state => {
    const { id, link } = await sealed()
    await service.sql('UPDATE dsar_request SET state = $2, closed_at = now() WHERE id = $1', [id, state])
    if (state === 'cancelled')
      await service.sql(
        `INSERT INTO audit_entry VALUES ($1, 999, now(), 'support_agent', 'a', 'cancelled', '{"reason": "duplicate"}', '', '', '', '')`,
        [`request:${id}`],
      )
    await Promise.all([closeCase(id), closeCase(id)])
    await closeCase(id)
    await nothingIsLeft(id, link)
    expect(await recorded(id, 'collected_data_destroyed')).toBe(1)
    const letters = await service.sql('SELECT 1 FROM letter WHERE request_id = $1 AND kind = $2', [id, state])
    expect(letters).toHaveLength(1)
    await forget()
    expect(await rows('sealed_package', id)).toMatchObject([{ destroyed_at: expect.any(Date) }])
  })

  test('loses it even where the one who closed it was killed before the bytes were gone', async () => {
    const { id } = await sealed()
    await service.sql(`UPDATE dsar_request SET state = 'lapsed', closed_at = now() WHERE id = $1`, [id])
    await closeCase(id)
    const left = aBlob(`requests/${id}/parts/1/1/attachments.0.json`, 61)
    await closeCase(id)
    expect(existsSync(left)).toBe(false)
  })

  test('but not one that has been answered', async () => {
    const { id } = await answeredRequest(service, BEN)
    await closeCase(id)
    expect([await rows('request_key', id), await recorded(id, 'collected_data_destroyed')]).toMatchObject([[{}], 0])
  })
})

describe('what a killed worker left behind', () => {
  afterEach(forget)

  test('counts its hour by the time of the machines, however far the clock was moved from it', async () => {
    const young = [aBlob(`requests/${randomUUID()}/parts/1/1/x.0.json`, 1), aBlob('.partial/young.partial', 1)]
    service.clock.advanceAlone(DAY)
    await forget().finally(() => service.clock.advanceAlone(-DAY))
    expect(young.filter(path => !existsSync(path))).toEqual([])
  })

  test('is swept after an hour, and not before', async () => {
    const id = randomUUID()
    const [old, young] = [aBlob(`requests/${id}/parts/1/1/x.0.json`, 61), aBlob(`requests/${id}/parts/1/2/x.0.json`, 59)]
    const [oldHalf, youngHalf] = [aBlob('.partial/a.partial', 61), aBlob('.partial/b.partial', 59)]
    await Promise.all([forget(), forget()])
    expect([old, young, oldHalf, youngHalf].map(existsSync)).toEqual([false, true, false, true])
  })

  test('is told from what somebody needs, however old that is', async () => {
    const { id } = await answeredRequest(service, BEN)
    await forget()
    const [name = ''] = blobsOf(id)
    const then = new Date(Date.now() - 2 * HOUR)
    utimesSync(join(service.blobDir, 'requests', id, name), then, then)
    await service.sql(`UPDATE task SET state = 'running', lease_until = now() + interval '1 minute' WHERE request_id = $1`, [id])
    const [task] = await service.sql(`SELECT id FROM task WHERE request_id = $1 AND action = 'collect' LIMIT 1`, [id])
    const coming = aBlob(`requests/${id}/parts/${task?.id}/3/x.0.json`, 61)
    await forget()
    expect([blobsOf(id).includes(name), existsSync(coming)]).toEqual([true, true])
    await service.sql(`UPDATE task SET state = 'done', lease_until = NULL WHERE request_id = $1`, [id])
    await forget()
    expect([blobsOf(id).includes(name), existsSync(coming)]).toEqual([true, false])
  })
})

test('answers to old calls are forgotten after thirty days, with the ways to the content after their hour', async () => {
  const { link } = await answeredRequest(service, ANA)
  await callers(service).person(ANA.userId, ANA.email)(link, { body: {} })
  await callers(service).person('u-eva', 'eva@example.org')('/v1/requests', {
    body: { type: 'access', subject: {} },
    headers: { 'idempotency-key': randomUUID() },
  })
  const kept = async () => [
    (await service.sql('SELECT 1 FROM idempotency_key')).length,
    (await service.sql('SELECT 1 FROM download_grant g JOIN link l ON l.id = g.link_id WHERE l.revoked_at IS NULL')).length,
  ]
  await forget()
  const before = await kept()
  await later(1, forget)
  await later(29, forget)
  expect((await kept())[0]).toBe(before[0])
  await later(31, forget)
  expect([before[0] === 0, await kept()]).toEqual([false, [0, 0]])
})
