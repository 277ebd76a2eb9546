import { AjvCompiler, type BuildCompilerFromPool } from '@fastify/ajv-compiler'
import type { FastifySchemaValidationError } from 'fastify'
import type { Fault } from '../domain/problem.ts'

const factory: BuildCompilerFromPool = AjvCompiler()
const EXACT = {
  allErrors: true,
  discriminator: true, // of several forms of a body, its faults are those of the one it says it has
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
  return errors.slice(0, MOST).map(({ keyword, instancePath, params, message }) => {
    const name =
      keyword === 'required' ? params.missingProperty : keyword === 'additionalProperties' ? params.additionalProperty : undefined
    const path = name === undefined ? instancePath : `${instancePath}/${escapePointer(String(name))}`
    const pointer = path
      .split('/')
      .map(step => (PLAIN.test(step) ? step : '?'))
      .join('/')
    const detail = message ?? 'is not as described'
    return { pointer, detail: part === 'body' ? detail : `${detail} (${part})` }
  })
}

const escapePointer = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1')
