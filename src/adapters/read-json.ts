import type { TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import type { OutboundAnswer } from '../platform/outbound.ts'
import type { CallLimits } from './call-limits.ts'
import { AdapterFault } from './fault.ts'
import { gatherer } from './gatherer.ts'

/** The media type without its parameters; undefined for one in another charset than UTF-8, or none. */
export function mediaTypeOf({ headers }: Pick<OutboundAnswer, 'headers'>): string | undefined {
  const match = /^([a-z0-9.+-]+\/[a-z0-9.+-]+)(?:\s*;\s*charset="?utf-8"?)?$/i.exec(headers['content-type']?.trim() ?? '')
  return match?.[1]?.toLowerCase()
}

/** The whole of a body that is one JSON document. @throws AdapterFault `too_large` */
export async function readWhole(body: AsyncIterable<Buffer>, { jsonBytes }: Pick<CallLimits, 'jsonBytes'>): Promise<Buffer> {
  const whole = gatherer(jsonBytes, 'the answer')
  for await (const chunk of body) whole.add(chunk)
  return whole.take()
}

/**
 * A reader for one shape, which drops the members that the shape does not name.
 * @throws AdapterFault `not_valid`, naming the rule that was broken and not the value that broke it
 */
export function readerOf<T extends TSchema>(schema: T) {
  const validator = Compile(schema)
  return (value: unknown, where: string): ReturnType<Validator<Record<never, never>, T>['Parse']> => {
    if (validator.Check(value)) return validator.Clean(value) as ReturnType<typeof validator.Parse>
    const [error] = validator.Errors(value)
    throw new AdapterFault('not_valid', `${where} breaks the rule ${error?.schemaPath}/${error?.keyword}`)
  }
}
