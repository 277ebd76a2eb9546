import { isObject, type JsonObject } from '../adapters/strict-json.ts'
import { withExactNumbers } from '../platform/exact-numbers.ts'

/**
 * A record with its value. Only a column of type `json` can hold half a character (`"\ud800"`), which no text of ours may: in such
 * a record each of them becomes U+FFFD.
 */
export function wellFormed(json: Buffer): { json: Buffer; value: JsonObject } {
  const value = read(json.toString())
  if (!json.includes('\\ud') && !json.includes('\\uD')) return { json, value }
  const mended = JSON.stringify(withExactNumbers(json, value), (_key, inner: unknown) =>
    typeof inner === 'string' ? inner.toWellFormed() : inner,
  )
  return { json: Buffer.from(mended), value: read(mended) }
}

function read(json: string): JsonObject {
  const value: unknown = JSON.parse(json)
  if (!isObject(value)) throw new Error('A row is an object.')
  return value
}
