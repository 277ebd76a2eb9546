import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { QueryFailedError } from 'typeorm'
import { createLog } from '../../src/platform/log.ts'
import { LOG_FIELDS } from '../../src/platform/log-fields.ts'

const CANARY = 'ana.perera@example.org'

function collecting() {
  const lines: string[] = []
  const log = createLog({ level: 'trace', destination: { write: line => lines.push(line) } })
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '') }
}

describe('a log line', () => {
  test('carries the fields that are listed and no others', () => {
    const { log, last } = collecting()
    log.info({ requestId: 'r1', attempt: 2, email: CANARY, user: { name: CANARY } }, 'asked')
    expect(last()).toEqual({ level: 'info', time: expect.any(String), requestId: 'r1', attempt: 2, msg: 'asked' })
  })

  test('carries plain values only, and no long ones', () => {
    const { log, last } = collecting()
    log.info({ state: { name: CANARY }, adapter: [CANARY], code: 'x'.repeat(10_000), count: Number.NaN, job: null }, 'asked')
    expect(last()).toEqual({ level: 'info', time: expect.any(String), code: 'x'.repeat(200), count: null, msg: 'asked' })
  })

  test('has the same rules for the fields of a child', () => {
    const { log, last } = collecting()
    log
      .child({ requestId: 'r1', email: CANARY })
      .child({ taskId: 't1', name: CANARY }, { level: 'debug' })
      .debug({ x: 1 }, 'asked')
    expect(last()).toEqual({ level: 'debug', time: expect.any(String), requestId: 'r1', taskId: 't1', msg: 'asked' })
  })

  test('does not fill placeholders', () => {
    const { log, lines } = collecting()
    log.info('asked %s', CANARY)
    log.info({}, 'asked %o', { email: CANARY })
    expect(lines.join('')).not.toContain(CANARY)
  })

  test('is one line, whatever is in it', () => {
    const { log, lines, last } = collecting()
    const nasty = 'x"\n{"level":"fatal","msg":"forged"}\r\n\u001b[31mred\u2028'
    log.info({ adapter: nasty }, 'asked')
    expect(lines).toHaveLength(1)
    expect(lines[0]?.trimEnd()).not.toMatch(/\p{Cc}/u)
    expect(last()).toMatchObject({ level: 'info', adapter: nasty, msg: 'asked' })
  })
})

describe('an error in the log', () => {
  test('says what kind it is and where it was thrown, and not what it says', () => {
    const { log, lines, last } = collecting()
    const cause = Object.assign(new Error(`no row for ${CANARY}`), {
      code: '23505',
      constraint: 'person_email_key',
      detail: CANARY,
    })
    log.error({ err: new TypeError(`cannot read ${CANARY}`, { cause }) }, 'failed')
    expect(last().err).toMatchObject({
      name: 'TypeError',
      cause: { name: 'Error', code: '23505', constraint: 'person_email_key' },
    })
    expect(last().err.at[0]).toContain('log.test.ts')
    expect(lines.join('')).not.toContain(CANARY)
  })

  test('may be logged by itself, with or without words', () => {
    const { log, lines, last } = collecting()
    log.error(new Error(CANARY))
    expect(last()).toMatchObject({ msg: 'an error without words', err: { name: 'Error' } })
    log.error(new Error(CANARY), 'failed')
    expect(last()).toMatchObject({ msg: 'failed', err: { name: 'Error' } })
    log.error({ err: new Error(CANARY) })
    expect(lines.join('')).not.toContain(CANARY)
  })

  test('of the database comes without query and parameters', () => {
    const { log, lines, last } = collecting()
    const driver = Object.assign(new Error(`duplicate ${CANARY}`), { code: '23505', detail: `Key (email)=(${CANARY})` })
    log.error({ err: new QueryFailedError('SELECT secret FROM t WHERE email = $1', [CANARY], driver) }, 'failed')
    expect(last().err).toMatchObject({ name: 'QueryFailedError', code: '23505' })
    expect(lines.join('')).not.toMatch(new RegExp(`${CANARY}|SELECT`))
  })

  test('tells nothing of its message even when that looks like a stack, or the stack does not hold it', () => {
    const { log, lines } = collecting()
    log.error({ err: new Error(`x\n    at ${CANARY}:1:1`) }, 'failed')
    const changed = new Error(`about ${CANARY}`)
    changed.message = 'something else'
    log.error({ err: changed }, 'failed')
    expect(lines.join('')).not.toContain(CANARY)
  })

  test('that is none is told by its type', () => {
    const { log, last } = collecting()
    log.error({ err: CANARY }, 'failed')
    expect(last().err).toEqual({ name: 'string' })
  })
})

test('nothing that is not listed ever gets out', () => {
  const key = fc.string({ minLength: 1 }).filter(name => !LOG_FIELDS.has(name))
  fc.assert(
    fc.property(fc.dictionary(key, fc.constant(CANARY), { minKeys: 1 }), fields => {
      const { log, lines } = collecting()
      log.info(fields, 'asked')
      log.child(fields).info({ queue: fields }, 'asked')
      log.warn({ err: Object.assign(new Error(CANARY), fields) }, 'asked')
      expect(lines.join('')).not.toContain(CANARY)
    }),
  )
})
