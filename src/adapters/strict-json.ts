import { isUtf8 } from 'node:buffer'
import { repeatsKey } from '../platform/repeated-keys.ts'
import { AdapterFault } from './fault.ts'

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a]
const [OPEN_BRACKET, OPEN_BRACE] = [0x5b, 0x7b]

export type JsonObject = Readonly<Record<string, unknown>>
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isOpening = (byte: number | undefined): boolean => byte === OPEN_BRACKET || byte === OPEN_BRACE
const isClosing = (byte: number | undefined): boolean => byte === 0x5d || byte === 0x7d
const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/**
 * Reads JSON as RFC 7493 (I-JSON) wants it, from UTF-8 bytes: no byte order mark, no lone surrogates, nothing nested deeper
 * than `maxDepth`, which is looked at before anything is built. `where` tells a person which part of the answer is meant.
 * @throws AdapterFault `not_json`, `too_deep`, `too_large`
 */
export function parseStrictly(bytes: Buffer, maxDepth: number, where: string, maxValues?: number): unknown {
  if (isDeeperThan(bytes, maxDepth)) throw new AdapterFault('too_deep', `${where} is nested deeper than ${maxDepth}`)
  if (maxValues !== undefined && hasMoreValues(bytes, maxValues))
    throw new AdapterFault('too_large', `${where} has more than ${maxValues} values`)
  const text = bytes.toString()
  // The decoder writes U+FFFD for what is not UTF-8; only then is it worth a second look.
  if (text.includes('\ufffd') && !isUtf8(bytes)) throw new AdapterFault('not_json', `${where} is not UTF-8`)
  const value = parse(text, where)
  if (/\\u[dD][89a-fA-F]/.test(text) && !isWellFormed(value))
    throw new AdapterFault('not_json', `${where} holds half a character`)
  return value
}

/** Far more than anybody has to say of themselves, and so few that reading them holds up nobody else in this process. */
const STATEMENT_VALUES = 50_000

/**
 * The same for what an adapter says of itself or of an answer, where a member that is there twice could say one thing to us and another to
 * whoever looks at it later. Records are not held to this: they are handed on as they came.
 * @throws AdapterFault `not_json`, `not_valid`, `too_deep`, `too_large`
 */
export function parseStatement(bytes: Buffer, maxDepth: number, where: string): unknown {
  const value = parseStrictly(bytes, maxDepth, where, STATEMENT_VALUES)
  if (repeatsKey(bytes.toString())) throw new AdapterFault('not_valid', `${where} names a member twice`)
  return value
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The engine's message quotes the text.
    throw new AdapterFault('not_json', `${where} is not JSON`)
  }
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([key, child]) => key.isWellFormed() && isWellFormed(child))
}

/** Counts the openings first, by the machine's own search: most records have fewer of them than may be nested. */
function isDeeperThan(bytes: Buffer, max: number): boolean {
  return hasMoreThan(bytes, OPEN_BRACE, OPEN_BRACKET, max) && depthExceeds(bytes, max)
}

function hasMoreThan(bytes: Buffer, a: number, b: number, max: number): boolean {
  let left = max
  for (let at = bytes.indexOf(a); at !== -1 && left >= 0; at = bytes.indexOf(a, at + 1)) left -= 1
  for (let at = bytes.indexOf(b); at !== -1 && left >= 0; at = bytes.indexOf(b, at + 1)) left -= 1
  return left < 0
}

function depthExceeds(bytes: Buffer, max: number): boolean {
  let depth = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) at = endOfString(bytes, at)
    else if (isClosing(byte)) depth -= 1
    else if (isOpening(byte) && ++depth > max) return true
  }
  return false
}

/** Each but the first follows a comma or an opening. */
function hasMoreValues(bytes: Buffer, max: number): boolean {
  let values = 1
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) at = endOfString(bytes, at)
    else if ((byte === COMMA || isOpening(byte)) && ++values > max) return true
  }
  return false
}

/** Index of the quote that ends the string which begins at `at`. */
function endOfString(bytes: Buffer, at: number): number {
  for (let end = at + 1; end < bytes.length; end++) {
    if (bytes[end] === BACKSLASH) end += 1
    else if (bytes[end] === QUOTE) return end
  }
  return bytes.length
}

/** One child of an object or array, as it was written. */
export interface Child {
  /** Undefined in an array. */
  key?: string
  raw: Buffer
}

/**
 * The children of an object or array, as the bytes they were written in, so that a number keeps its spelling: JavaScript would
 * round the ids of others. Takes only what `parseStrictly` has accepted.
 */
export function childrenOf(json: Buffer): Child[] {
  const children: Child[] = []
  let depth = 0
  let start = 0
  let key: string | undefined
  const close = (end: number) => {
    const raw = trimmed(json, start, end)
    if (raw.length > 0) children.push(key === undefined ? { raw } : { key, raw })
    key = undefined
  }
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]
    if (byte === QUOTE) at = endOfString(json, at)
    else if (isOpening(byte) && ++depth === 1) start = at + 1
    else if (isClosing(byte) && --depth === 0) close(at)
    else if (depth === 1 && byte === COLON) {
      key = JSON.parse(trimmed(json, start, at).toString())
      start = at + 1
    } else if (depth === 1 && byte === COMMA) {
      close(at)
      start = at + 1
    }
  }
  return children
}

/** The last child of that name, as `JSON.parse` takes the last of several. */
export const childOf = (json: Buffer, key: string): Buffer | undefined =>
  childrenOf(json).findLast(child => child.key === key)?.raw

function trimmed(bytes: Buffer, start: number, end: number): Buffer {
  let [from, to] = [start, end]
  while (from < to && isSpace(bytes[from])) from += 1
  while (to > from && isSpace(bytes[to - 1])) to -= 1
  return bytes.subarray(from, to)
}
