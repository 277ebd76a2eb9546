import type { Composed } from './composed.ts'
import { itemOf } from './foreign.ts'
import type { Authority } from './letters.ts'
import type { Messages } from './messages.ts'

/** Where to complain and that one can go to court: what every refusal has to say, of a part too (GDPR Art. 12(4)). */
export const remedies = (messages: Messages, { name, url, language }: Authority): Composed['paragraphs'] => [
  messages.say('remedy.complaint'),
  { items: [itemOf(messages, { text: `${name}, ${url}`, language })] },
  messages.say('remedy.court'),
]
