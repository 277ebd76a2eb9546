import type { Authority } from './letters.ts'
import type { Messages } from './messages.ts'

/** Where to complain and that one can go to court: what every refusal has to say, of a part too (GDPR Art. 12(4)). */
export const remedies = ({ say }: Messages, { name, url }: Authority): string[] => [
  say('remedy.complaint', { authority: name, url }),
  say('remedy.court'),
]
