import { isObject, type JsonObject } from '../adapters/strict-json.ts'

/**
 * A record with its value. Only a column of type `json` can hold half a character (`"\ud800"`), which no text of ours may: in such
 * a record each of them becomes U+FFFD.
 */
export function wellFormed(json: Buffer): { json: Buffer; value: JsonObject } {
  const value: unknown = JSON.parse(json.toString())
  if (!isObject(value)) throw new Error('A row is an object.')
  if (!json.includes('\\ud') && !json.includes('\\uD')) return { json, value }
  const whole: unknown = JSON.parse(json.toString(), (_key, inner: unknown) =>
    typeof inner === 'string' ? inner.toWellFormed() : inner,
  )
  if (!isObject(whole) || JSON.stringify(whole) === JSON.stringify(value)) return { json, value }
  return { json: Buffer.from(JSON.stringify(whole)), value: whole }
}
