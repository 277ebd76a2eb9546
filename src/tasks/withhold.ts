import type { CollectSink } from '../adapters/collect-stream.ts'
import { childrenOf } from '../adapters/strict-json.ts'
import { MARKER, type Withheld } from '../domain/withheld.ts'
import type { Protection } from '../policy/others-rights.ts'

/** Lets through to a sink what others' rights allow, and counts what they do not. */
export interface Withholding extends CollectSink {
  /** The log: no values, only how many there were. */
  withheld(): Withheld[]
}

/**
 * Stands between what an adapter streams and where it is kept, so that what is withheld is nowhere kept at all. Only records of a
 * dataset that has a protection are looked into; all others pass as they came.
 */
export function withholding(sink: CollectSink, protections: ReadonlyMap<string, Protection>): Withholding {
  const log = new Map<string, Withheld>()
  const note = (dataset: string, by: Pick<Withheld, 'rule' | 'reason' | 'says'>, field?: string): void => {
    const key = `${dataset}\n${field ?? ''}` // the name of a dataset has no line feed
    const line = log.get(key)
    if (line) line.records += 1
    else log.set(key, { dataset, ...(field !== undefined && { field }), records: 1, ...by })
  }
  return {
    record(dataset, json, value) {
      const protection = protections.get(dataset)
      if (!protection) return sink.record(dataset, json, value)
      const { whole, fields } = protection
      if (whole) return note(dataset, whole)
      const redaction = redact(json, fields)
      if (redaction.fields.size === 0) return sink.record(dataset, json, value)
      for (const field of redaction.fields) {
        const by = fields.get(field)
        if (by) note(dataset, by, field)
      }
      return sink.record(dataset, redaction.json, JSON.parse(redaction.json.toString()) as Record<string, unknown>)
    },
    async file(dataset, meta, content) {
      const whole = protections.get(dataset)?.whole
      if (!whole) return sink.file(dataset, meta, content)
      for await (const _chunk of content);
      note(dataset, whole)
    },
    withheld: () => [...log.values()],
  }
}

const EMPTY = new Set(['null', '""', '[]', '{}'])
const REPLACEMENT = Buffer.from(JSON.stringify(MARKER))

/**
 * A record without the values of these fields, every other byte as it was written. A member is meant by its name however that is
 * escaped, and each time it is there. Where there is no value there is nothing to withhold.
 */
function redact(json: Buffer, fields: ReadonlyMap<string, unknown>): { json: Buffer; fields: Set<string> } {
  const redacted = new Set<string>()
  const pieces: Buffer[] = []
  let done = 0
  for (const { key, raw } of childrenOf(json)) {
    if (key === undefined || !fields.has(key) || ((raw.length === 2 || raw.length === 4) && EMPTY.has(raw.toString()))) continue
    const at = raw.byteOffset - json.byteOffset
    pieces.push(json.subarray(done, at), REPLACEMENT)
    done = at + raw.length
    redacted.add(key)
  }
  return { json: redacted.size === 0 ? json : Buffer.concat([...pieces, json.subarray(done)]), fields: redacted }
}
