import { expect } from '@jest/globals'
import fc from 'fast-check'
import type { LightMyRequestResponse } from 'fastify'
import type { DeclaredRoute } from '../../src/http/declared-routes.ts'
import { nameOf } from './doors.ts'
import type { Operation } from './operations.ts'

const ODD = fc.oneof(
  fc.constantFrom<unknown>(
    ...[null, true, 0, -1, 1e308, '', [], {}, [[]], { a: null }],
    ...["'; DROP TABLE dsar_request; --", '\u0000', '\ud800', '\u202e', '../../etc/passwd', '%00', '{{7*7}}', '<img src=x>'],
    ...['9'.repeat(400), 'x'.repeat(20_000), '2026-02-31', '0000-00-00', '9999-12-31T23:59:60Z', '\r\nSet-Cookie: a=b'],
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.jsonValue({ maxDepth: 3 }),
)

/** Puts something odd in one place of a value, or in place of all of it. */
export const withOdd = (value: unknown): fc.Arbitrary<unknown> => {
  if (typeof value !== 'object' || value === null) return ODD
  const inside = Object.entries(value).map(([name, inner]) =>
    withOdd(inner).map(odd => (Array.isArray(value) ? [odd, ...value.slice(1)] : { ...value, [name]: odd })),
  )
  return fc.oneof(ODD, ...inside)
}

const INSIDE =
  /\bat \S+ \(|node:|node_modules|file:|\.ts\b|\bSELECT\b|\bINSERT\b|syntax error|relation "|violates|pg_|FST_|\bError\b|\/tmp\/|\/home\/|postgres|hostname/

/** That an answer is one that the operation describes, no trouble of ours, and where it is a problem, one that tells nothing of our insides. */
export function expectPlain(operations: Map<string, Operation>, door: DeclaredRoute, answer: LightMyRequestResponse): void {
  const { statusCode, headers, body } = answer
  const described = operations.get(nameOf(door))?.statuses ?? ['200']
  expect([nameOf(door), [...described, '404']]).toEqual([nameOf(door), expect.arrayContaining([`${statusCode}`])])
  expect(statusCode).toBeLessThan(500)
  if (statusCode < 400) return
  expect(body).not.toMatch(INSIDE)
  if (String(headers['content-type']).startsWith('text/html')) return
  expect(headers['content-type']).toBe('application/problem+json; charset=utf-8')
  expect(answer.json().status).toBe(statusCode)
}
