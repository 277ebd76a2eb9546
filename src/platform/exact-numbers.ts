/** A number as it was written, made by the engine: `JSON.stringify` prints it as it stands. */
export interface WrittenNumber {
  readonly rawJSON: string
}

/** ECMAScript's "JSON.parse source text access", which the types of the language do not know yet. */
interface SourceAccess {
  rawJSON(text: string): WrittenNumber
  isRawJSON(value: unknown): value is WrittenNumber
}
const engine = JSON as JSON & SourceAccess

export const isWrittenNumber = (value: unknown): value is WrittenNumber => engine.isRawJSON(value)

/**
 * What `JSON.parse` made of a record; or, where that may have rounded a number (RFC 8259, section 6), the record read again with
 * every number as it was written. Almost no record is read again, and looking costs the others next to nothing.
 */
export function withExactNumbers<T>(json: Buffer, parsed: T): T {
  if (!hasLongNumber(json) && !(LONG_EXPONENT.test(json.toString('latin1')) && hasExtreme(parsed))) return parsed
  return engine.parse(json.toString(), (_key, value: unknown, { source }: { source?: string } = {}) =>
    typeof value === 'number' && source !== undefined ? engine.rawJSON(source) : value,
  )
}

/** Fifteen digits and a point. Fifteen digits always survive a double. */
const LONG = 16
const LONG_EXPONENT = /\d[eE][+-]?\d{3}/
const [POINT, SLASH, NINE] = [0x2e, 0x2f, 0x39]

const isOfNumber = (byte: number | undefined): boolean => byte !== undefined && byte >= POINT && byte <= NINE && byte !== SLASH

/** Whether so many digits stand in a row, in a number or (then in vain) in a text: wherever they stand, a step meets one of them. */
function hasLongNumber(json: Buffer): boolean {
  for (let at = LONG - 1; at < json.length; at += LONG) {
    if (!isOfNumber(json[at])) continue
    let [from, to] = [at, at]
    while (isOfNumber(json[from - 1])) from -= 1
    while (isOfNumber(json[to + 1])) to += 1
    if (to - from + 1 >= LONG) return true
  }
  return false
}

/** Whether there is a number that a short text may have missed: `1e400` is read as infinite, `1e-400` as zero. */
function hasExtreme(value: unknown): boolean {
  if (typeof value === 'number') return !(Math.abs(value) > 1e-300 && Math.abs(value) < 1e300)
  if (typeof value !== 'object' || value === null) return false
  for (const key in value) if (hasExtreme((value as Record<string, unknown>)[key])) return true
  return false
}
