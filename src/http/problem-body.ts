import { type Static, Type } from 'typebox'
import { CATALOGUE, type Problem, type ProblemCode } from '../domain/problem.ts'

const CODES = Object.keys(CATALOGUE) as ProblemCode[]

export const PROBLEM_TYPE = 'application/problem+json'

/** What every error looks like on the wire (RFC 9457). */
export const ProblemBody = Type.Object(
  {
    type: Type.String({ format: 'uri', description: 'Identifies the problem; leads to its description.' }),
    title: Type.String({ description: 'The problem in words, always the same for one code.' }),
    status: Type.Integer({ description: 'The HTTP status.' }),
    code: Type.Enum(CODES, { description: 'Stable name of the problem, to program against.' }),
    detail: Type.Optional(Type.String({ description: 'What is the matter here.' })),
    instance: Type.Optional(
      Type.String({ format: 'uri', description: 'This one occurrence, where it was recorded (5xx): quote it when you ask us.' }),
    ),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.String({ description: 'Where in the input, as JSON Pointer (RFC 6901).' }),
          detail: Type.String({ description: 'What is wrong there.' }),
        }),
      ),
    ),
  },
  { $id: 'Problem', description: 'A problem (RFC 9457).' },
)
export type ProblemBody = Static<typeof ProblemBody>

/**
 * A problem as it is sent. The same problem gives the same bytes to everybody, so that what one may not see cannot be
 * told from what does not exist; only an occurrence on our side, which is in the log, has a name of its own.
 */
export function bodyOf(problem: Problem, publicUrl: string, reqId: string): ProblemBody {
  const { code, title, status, detail, errors } = problem
  return {
    type: typeOf(code, publicUrl),
    title,
    status,
    code,
    ...(detail !== undefined && { detail }),
    ...(status >= 500 && { instance: `urn:uuid:${reqId}` }),
    ...(errors.length > 0 && { errors: [...errors] }),
  }
}

export const typeOf = (code: ProblemCode, publicUrl: string): string => `${publicUrl}/problems/${code}`
