import type { Static, TSchema } from 'typebox'
import { Value } from 'typebox/value'

/** The cursor was not made by `encodeCursor` for this list. */
export class BadCursor extends Error {
  constructor() {
    super('not a cursor of this list')
    this.name = 'BadCursor'
  }
}

const LONGEST = 1000

/** Where a list goes on, as text for a query string. Readable by anybody: put ids and days into it, no names. */
export const encodeCursor = (place: unknown): string => Buffer.from(JSON.stringify(place)).toString('base64url')

/** The place that a cursor stands for. @throws BadCursor for anything that does not have the shape. */
export function decodeCursor<S extends TSchema>(schema: S, cursor: string): Static<S> {
  const place = parse(cursor)
  if (!Value.Check(schema, place)) throw new BadCursor()
  return place
}

function parse(cursor: string): unknown {
  if (cursor.length > LONGEST || !/^[\w-]+$/.test(cursor)) throw new BadCursor()
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    throw new BadCursor()
  }
}

/** The Link header (RFC 8288) that leads on from `url`, the path and query of this page: same filters, next cursor. */
export function nextLink(url: string, cursor: string): string {
  const next = new URL(url, 'http://same.origin')
  next.searchParams.set('cursor', cursor)
  return `<${next.pathname}${next.search}>; rel="next"`
}
