/** What one call to an adapter may cost. Milliseconds, bytes, pieces. */
export interface CallLimits {
  /** How long a task waits for others to go with it, where an adapter takes several in one call. */
  lingerMs: number
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
  lingerMs: 20, // tasks that are claimed together are not ready at the very same moment: what a change rests on is read for each
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
