import type { Composers } from './composed.ts'
import type { Messages } from './messages.ts'
import { notYou } from './not-you.ts'
import { greetableName } from './plain-text.ts'

/** Whoever asks chooses their name: what is hardly one is left out, as a greeting would be. */
const named = ({ say }: Messages, representative: string) => greetableName(representative) ?? say('representative.unnamed')

/** Between the person, whoever acts for them, and us. */
export const ABOUT_REPRESENTATION = {
  'representative-code': (messages, { code, minutes, right, relationship, representative, mayBeAllowed, notYou: means }) => {
    const { say } = messages
    const isParent = relationship === 'parent_or_guardian'
    const values = { name: named(messages, representative), right: say(`right.${right}`) }
    return {
      subject: say('representative-code.subject'),
      paragraphs: [
        say(isParent ? 'representative-code.parent' : 'representative-code.agent', values),
        say(isParent ? 'representative-code.child' : 'representative-code.yours'),
        say('representative-code.code'),
        { code },
        say('identity-code.valid', { minutes }),
        ...(mayBeAllowed ? [say('representative-code.delivery', values)] : []),
        say('representative-code.otherwise'),
        ...notYou(messages, means),
      ],
    }
  },

  represented: (messages, { right, relationship, representative, notYou: means }) => {
    const { say } = messages
    const values = { name: named(messages, representative), right: say(`right.${right}`) }
    return {
      subject: say('represented.subject'),
      paragraphs: [
        say(`represented.${relationship}`, values),
        say('represented.seen'),
        say('represented.otherwise'),
        ...notYou(messages, means),
      ],
    }
  },

  'requester-code': ({ say }, { code, minutes }) => ({
    subject: say('requester-code.subject'),
    paragraphs: [
      say('requester-code.why'),
      say('requester-code.code'),
      { code },
      say('identity-code.valid', { minutes }),
      say('requester-code.ignore'),
    ],
  }),

  'mandate-refused': ({ say }, { reason }) => ({
    subject: say('mandate-refused.subject'),
    paragraphs: [
      say('mandate-refused.refused'),
      say(`mandate-refused.reason.${reason}`),
      say('mandate-refused.again'),
      say('mandate-refused.person'),
      say('complaint'),
    ],
  }),
} satisfies Partial<Composers>
