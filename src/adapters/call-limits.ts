/** What one call to an adapter may cost. Milliseconds, bytes, pieces. */
export interface CallLimits {
  headersMs: number
  idleMs: number
  totalMs: number
  /** Of an answer in one JSON document. */
  jsonBytes: number
  depth: number
  /** Of a whole stream; and again of all the files it names, together. */
  streamBytes: number
  lineBytes: number
  records: number
  files: number
  fileBytes: number
}

const [SECOND, MIB, GIB] = [1000, 1024 ** 2, 1024 ** 3]

export const CALL_LIMITS: CallLimits = {
  headersMs: 60 * SECOND,
  idleMs: 60 * SECOND,
  totalMs: 60 * 60 * SECOND,
  jsonBytes: 8 * MIB,
  depth: 64,
  streamBytes: 5 * GIB,
  lineBytes: 4 * MIB,
  records: 5_000_000,
  files: 10_000,
  fileBytes: 2 * GIB,
}
