import { AjvCompiler, type BuildCompilerFromPool } from '@fastify/ajv-compiler'
import type { FastifySchemaValidationError } from 'fastify'
import type { Fault } from '../domain/problem.ts'

const factory: BuildCompilerFromPool = AjvCompiler()
const EXACT = {
  allErrors: true,
  coerceTypes: false,
  useDefaults: true,
  removeAdditional: false,
  strictTypes: false,
  strictTuples: false,
} as const

/**
 * Input is what the schema says or it is refused: nothing is dropped or turned into something else. Only what comes in
 * an address is text by nature and becomes numbers, booleans and lists.
 */
export const buildValidator: BuildCompilerFromPool = schemas => {
  const exact = factory(schemas, { customOptions: EXACT })
  const fromText = factory(schemas, { customOptions: { ...EXACT, coerceTypes: 'array' } })
  return route => {
    const { httpPart } = route as { httpPart?: string }
    return httpPart === 'querystring' || httpPart === 'params' ? fromText(route) : exact(route)
  }
}

const MOST = 20
const PLAIN = /^[\w@~.-]{0,64}$/

/** What was wrong, place by place, without the values. Names that only an odd caller would choose are not sent back. */
export function faultsOf(errors: readonly FastifySchemaValidationError[], part = 'body'): Fault[] {
  return ofItsForm(errors)
    .slice(0, MOST)
    .map(({ keyword, instancePath, params, message }) => {
      const name =
        keyword === 'required'
          ? params.missingProperty
          : keyword === 'additionalProperties'
            ? params.additionalProperty
            : undefined
      const path = name === undefined ? instancePath : `${instancePath}/${escapePointer(String(name))}`
      const pointer = path
        .split('/')
        .map(step => (PLAIN.test(step) ? step : '?'))
        .join('/')
      const detail = message ?? 'is not as described'
      return { pointer, detail: part === 'body' ? detail : `${detail} (${part})` }
    })
}

/** Where one of several forms says by a constant which it is. */
const TELLS_APART = /^(.*\/(?:anyOf|oneOf)\/\d+\/)properties\/[^/]+\/const$/

/**
 * Where input can have one of several forms, only what is wrong with it in the form that it says it has; where it says none of
 * them, that.
 */
function ofItsForm(errors: readonly FastifySchemaValidationError[]): readonly FastifySchemaValidationError[] {
  const others = errors.flatMap(({ schemaPath }) => TELLS_APART.exec(schemaPath)?.[1] ?? [])
  const isOther = (path: string) => others.some(other => path.startsWith(other) && path.replace(TELLS_APART, '$1') !== other)
  const mine = errors.filter(({ schemaPath, keyword }) => !isOther(schemaPath) && !/^(any|one)Of$/.test(keyword))
  const own = mine.filter(({ schemaPath }) => !TELLS_APART.test(schemaPath))
  if (own.length > 0) return own
  const [deepest] = mine.toSorted((a, b) => b.instancePath.length - a.instancePath.length)
  return deepest ? [deepest] : errors
}

const escapePointer = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1')
