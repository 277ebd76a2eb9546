import type { Tx } from '../platform/database.ts'
import { FIRST, hashOf } from './chain.ts'
import { entriesAfter, type RecordedEntry } from './entries.ts'

/** Where a stream ended when somebody last looked; kept outside the database, it betrays a tail that was cut off. */
export interface Head {
  stream: string
  seq: number
  hash: string
}

export interface Flaw {
  stream: string
  seq: number
  reason: string
}

export interface Verdict {
  intact: boolean
  streams: number
  entries: number
  firstBad?: Flaw
}

export interface VerifyDeps {
  read: Tx
  checkSignature(keyId: string, bytes: Buffer, signature: Buffer): boolean
}

const PAGE = 5000

/**
 * Reads the whole record, or one stream of it, and names the first entry that was changed, removed, reordered or forged.
 * `heads` are what an earlier run returned through `onHead`: without them a cut tail cannot be told from a shorter story.
 */
export async function verifyAudit(
  { read, checkSignature }: VerifyDeps,
  { stream, heads = [], onHead }: { stream?: string; heads?: readonly Head[]; onHead?: (head: Head) => void } = {},
): Promise<Verdict> {
  const verdict: Verdict = { intact: true, streams: 0, entries: 0 }
  const expected = new Map(heads.filter(head => !stream || head.stream === stream).map(head => [head.stream, head]))
  let last: RecordedEntry | undefined
  const bad = (firstBad: Flaw): Verdict => ({ ...verdict, intact: false, firstBad })
  const endOfStream = (): Flaw | undefined => {
    if (!last) return undefined
    const known = expected.get(last.stream)
    expected.delete(last.stream)
    if (known && known.seq > last.seq) return { stream: last.stream, seq: last.seq + 1, reason: CUT_OFF }
    onHead?.(headOf(last))
    return undefined
  }

  for await (const entry of entries(read, stream)) {
    if (entry.stream !== last?.stream) {
      const cut = endOfStream()
      if (cut) return bad(cut)
      last = undefined
      verdict.streams++
    }
    verdict.entries++
    const flaw = flawOf(entry, last, expected.get(entry.stream), checkSignature)
    if (flaw) return bad({ stream: entry.stream, ...flaw })
    last = entry
  }
  const cut = endOfStream()
  if (cut) return bad(cut)
  const [gone] = expected.keys()
  return gone ? bad({ stream: gone, seq: 1, reason: CUT_OFF }) : verdict
}

const CUT_OFF = 'is missing: the stream was longer when its head was kept outside'

const headOf = (entry: RecordedEntry): Head => ({ stream: entry.stream, seq: entry.seq, hash: entry.hash.toString('hex') })

function flawOf(
  entry: RecordedEntry,
  before: RecordedEntry | undefined,
  known: Head | undefined,
  checkSignature: VerifyDeps['checkSignature'],
): Omit<Flaw, 'stream'> | undefined {
  const seq = (before?.seq ?? 0) + 1
  if (entry.seq !== seq) return { seq, reason: 'is missing' }
  if (!entry.previous.equals(before?.hash ?? FIRST)) return { seq, reason: 'does not follow from the entry before' }
  if (!hashOf(entry).equals(entry.hash)) return { seq, reason: 'its content does not match its hash' }
  if (!checkSignature(entry.keyId, entry.hash, entry.signature)) return { seq, reason: 'its signature is not ours' }
  if (known?.seq === seq && known.hash !== entry.hash.toString('hex'))
    return { seq, reason: 'differs from the head kept outside' }
  return undefined
}

async function* entries(read: Tx, stream: string | undefined): AsyncGenerator<RecordedEntry> {
  let after = { stream: '', seq: 0 }
  while (true) {
    const page = await entriesAfter(read, after, PAGE, stream)
    yield* page
    const last = page.at(-1)
    if (!last || page.length < PAGE) return
    after = last
  }
}
