import type { Tx } from '../platform/database.ts'
import { FIRST, hashOf } from './chain.ts'
import { entriesAfter, type RecordedEntry } from './entries.ts'

/** Where a stream ended when somebody last looked; kept outside the database, it betrays a tail that was cut off. */
export interface Head {
  stream: string
  seq: number
  hash: string
}

export interface Verdict {
  intact: boolean
  streams: number
  entries: number
  firstBad?: { stream: string; seq: number; reason: string }
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
  const bad = (entry: { stream: string; seq: number }, reason: string): Verdict => ({
    ...verdict,
    intact: false,
    firstBad: { stream: entry.stream, seq: entry.seq, reason },
  })

  let previous: RecordedEntry | undefined
  for await (const entry of entries(read, stream)) {
    const fresh = entry.stream !== previous?.stream
    if (fresh) verdict.streams++
    if (fresh && previous) onHead?.(headOf(previous))
    verdict.entries++
    const reason = flawOf(entry, fresh ? undefined : previous, checkSignature)
    if (reason) return bad(entry, reason)
    const known = expected.get(entry.stream)
    if (known && known.seq === entry.seq) {
      if (known.hash !== entry.hash.toString('hex')) return bad(entry, 'differs from the head kept outside')
      expected.delete(entry.stream)
    }
    previous = entry
  }
  if (previous) onHead?.(headOf(previous))
  const [missing] = expected.values()
  return missing ? bad(missing, 'the head kept outside is not here: the end of this stream was cut off') : verdict
}

const headOf = (entry: RecordedEntry): Head => ({ stream: entry.stream, seq: entry.seq, hash: entry.hash.toString('hex') })

function flawOf(
  entry: RecordedEntry,
  previous: RecordedEntry | undefined,
  checkSignature: VerifyDeps['checkSignature'],
): string | undefined {
  if (entry.seq !== (previous?.seq ?? 0) + 1) return 'an entry before this one is missing'
  if (!entry.previous.equals(previous?.hash ?? FIRST)) return 'does not follow from the entry before'
  if (!hashOf(entry).equals(entry.hash)) return 'its content does not match its hash'
  if (!checkSignature(entry.keyId, entry.hash, entry.signature)) return 'its signature is not ours'
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
