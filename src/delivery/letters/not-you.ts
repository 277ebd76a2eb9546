import type { Composed } from './composed.ts'
import type { NotYou } from './letters.ts'
import type { Messages } from './messages.ts'
import { webAddress } from './web-address.ts'

/** What to do for whoever reads of a request that is not theirs. */
export const notYou = ({ say }: Messages, means: NotYou | undefined): Composed['paragraphs'] =>
  means ? [say('not-you.type', { code: means.code }), { link: webAddress(means.link), label: say('not-you.action') }] : []
