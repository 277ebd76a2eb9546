import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Challenge, solveChallenge } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2'
import { callers } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { notYouIn } from '../support/not-you.ts'
import { knowing, openRegisters, type Registers, settled } from '../support/registers.ts'
import { type Service, startService } from '../support/service.ts'
import { hostsOf, registerAll } from '../support/small-house.ts'

const BUDGET = 20
const WRONG = { method: 'email_code', code: '0000-0000' }

let registers: Registers
let service: Service
let as: ReturnType<typeof callers>

beforeAll(async () => {
  registers = await openRegisters({ crm: knowing({ userId: 'u-ada', email: 'ada@example.org' }) })
  service = await startService({
    env: { ADAPTER_ALLOWED_HOSTS: hostsOf(registers), GUESS_BUDGET: String(BUDGET), TRUST_PROXY: '127.0.0.1' },
  })
  as = callers(service)
  await registerAll(registers, as.agent(['operator']), service)
})
afterAll(async () => {
  await service.close()
  await registers.close()
})
beforeEach(() => service.sql('DELETE FROM rate_limit'))

let addresses = 0
/** From another address each time: no limit of a single one is met. */
const from = () => ({ 'x-forwarded-for': `2001:db8:${(++addresses).toString(16)}::1` })
const guess = (more: Record<string, string> = {}) =>
  as.anybody(`/v1/requests/${randomUUID()}/proofs`, { body: WRONG, headers: { ...from(), ...more } })
const guessALot = () => Promise.all(Array.from({ length: BUDGET + 1 }, () => guess()))
const done = async (challenge: Challenge): Promise<string> =>
  Buffer.from(JSON.stringify({ challenge, solution: await solveChallenge({ challenge, deriveKey }) })).toString('base64')
const work = async () => (await as.anybody('/v1/work')).body as Challenge
const metric = async () => /dsar_guessing_alarms_total (\d+)/.exec(await (await fetch(`${service.url}/metrics`)).text())?.[1]
const alarms = () => service.mailbox.messages().filter(({ subject }) => subject.includes('guessed at'))

describe('T14 one wrong guess on each of many requests', () => {
  test('is noticed over the fleet: the officer is told once, and the next guess takes work', async () => {
    expect(new Set((await guessALot()).map(({ status }) => status))).toEqual(new Set([401]))
    const refused = await guess()
    expect([refused.status, refused.body.code]).toEqual([403, 'work_needed'])
    expect(await metric()).toBe('1')
    await eventually(() => alarms().length > 0)
    await settled(service)
    expect(alarms()).toHaveLength(1)
  })

  test('wrong codes of *this was not me* count as well', async () => {
    const body = { type: 'access', subject: { identities: [{ type: 'email', value: 'ada@example.org' }] } }
    expect((await as.anybody('/v1/requests', { body, headers: from() })).status).toBe(201)
    await settled(service)
    const letter = service.mailbox.messages().find(({ envelope }) => envelope.to.includes('ada@example.org'))
    if (!letter) throw new Error('No letter came.')
    const { path } = notYouIn(letter)
    await service.sql('DELETE FROM rate_limit')
    for (let n = 0; n < BUDGET; n++) await guess()
    expect((await as.anybody(path, { body: { code: 'nothing' }, headers: from() })).status).toBe(401) // which is no guess
    expect((await guess()).status).toBe(401)
    await service.sql('DELETE FROM rate_limit')
    for (let n = 0; n < BUDGET; n++) await guess()
    expect((await as.anybody(path, { body: { code: '0000 0000' }, headers: from() })).status).toBe(401)
    expect((await guess()).body.code).toBe('work_needed')
  })

  test('can go on for whoever does the work, once for each', async () => {
    await guessALot()
    const one = await done(await work())
    expect((await guess({ 'dsar-work': one })).status).toBe(401) // taken, and the code was wrong
    expect((await guess({ 'dsar-work': one })).body.code).toBe('work_needed')
  })

  test.each([
    ['nothing', async () => ''],
    ['what is not base64 of JSON', async () => '%%%'],
    [
      'work that was not done',
      async () => Buffer.from(JSON.stringify({ challenge: await work(), solution: {} })).toString('base64'),
    ],
    [
      'work that was made lighter',
      async () => {
        const challenge = await work()
        return done({ ...challenge, parameters: { ...challenge.parameters, keyPrefix: '00', cost: 1 } })
      },
    ],
    [
      'work that was not asked for here',
      async () => {
        const challenge = await work()
        return done({
          ...challenge,
          parameters: { ...challenge.parameters, keyPrefix: '00', cost: 1 },
          signature: 'ab'.repeat(32),
        })
      },
    ],
  ])('and for nobody who sends %s', async (_, given) => {
    await guessALot()
    expect((await guess({ 'dsar-work': await given() })).body.code).toBe('work_needed')
  })

  test('keeps nobody out who has logged in, and no request from being opened by whoever does the work', async () => {
    await guessALot()
    const ada = as.person('u-ada', 'ada@example.org')
    const own = await ada('/v1/requests', { body: { type: 'access', subject: {} } })
    expect(own.status).toBe(201)
    expect((await ada(`/v1/requests/${own.body.id}/proofs`, { body: WRONG })).body.code).not.toBe('work_needed')
    const body = { type: 'access', subject: { identities: [{ type: 'email', value: 'bob@example.org' }] } }
    expect((await as.anybody('/v1/requests', { body, headers: from() })).body.code).toBe('work_needed')
    const worked = { ...from(), 'dsar-work': await done(await work()) }
    expect((await as.anybody('/v1/requests', { body, headers: worked })).status).toBe(201)
  })

  test('asks nobody for work while people only mistype', async () => {
    const answers = await Promise.all(Array.from({ length: BUDGET }, () => guess()))
    expect(new Set(answers.map(({ body }) => body.code))).toEqual(new Set(['proof_refused']))
    expect((await guess()).body.code).toBe('proof_refused')
  })
})
