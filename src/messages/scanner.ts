import type { Readable } from 'node:stream'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Outbound } from '../platform/outbound.ts'

/** What the scanner said: nothing found, or what. */
export type Verdict = { clean: true } | { clean: false; found: string }

/** The scanner did not say; it is asked again. */
class NotScanned extends Error {
  constructor(why: string, options?: ErrorOptions) {
    super(`The scanner did not say: ${why}`, options)
    this.name = 'NotScanned'
  }
}

const ANSWER = Compile(
  Type.Union([
    Type.Object({ clean: Type.Literal(true) }),
    Type.Object({ clean: Type.Literal(false), found: Type.Optional(Type.String()) }),
  ]),
)
const ANSWER_BYTES = 16 * 1024
const LIMITS = { headersMs: 60_000, idleMs: 30_000, totalMs: 120_000, bytes: ANSWER_BYTES }
/** Names of what scanners know, such as `Win.Test.EICAR_HDB-1`; any other could quote the file. */
const KNOWN_NAME = /^[A-Za-z0-9][\w.:/-]{0,79}$/

export interface ScannerDeps {
  outbound: Pick<Outbound, 'request'>
  /** Where plain bytes are posted to be judged; undefined switches attachments off. */
  attachmentScanner: string | undefined
}

/**
 * Posts the bytes of a file to the scanner, and nothing about them. Only a 200 with `{"clean": true}` or `{"clean": false, "found"?}` is an
 * answer. @throws NotScanned, OutboundError
 */
export async function scan({ outbound, attachmentScanner }: ScannerDeps, bytes: number, content: Readable): Promise<Verdict> {
  if (!attachmentScanner) throw new NotScanned('there is none')
  content.on('error', () => {}) // the call that reads it fails with it
  try {
    const answer = await outbound.request({
      method: 'POST',
      url: attachmentScanner,
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(bytes), accept: 'application/json' },
      body: content,
      limits: LIMITS,
    })
    if (answer.status !== 200) {
      answer.discard()
      throw new NotScanned(`status ${answer.status}`)
    }
    const said = parsed(Buffer.concat(await Array.fromAsync(answer.body)))
    if (!ANSWER.Check(said)) throw new NotScanned('no verdict')
    if (said.clean) return { clean: true }
    return { clean: false, found: said.found !== undefined && KNOWN_NAME.test(said.found) ? said.found : 'unnamed' }
  } finally {
    content.destroy()
  }
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new NotScanned('no JSON', { cause })
  }
}
