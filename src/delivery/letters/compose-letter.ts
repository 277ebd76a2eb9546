import type { LetterName, LetterValues } from './letters.ts'
import type { Messages } from './messages.ts'

/** What a letter says, in its order, before it is laid out. */
export interface Composed {
  subject: string
  paragraphs: (string | { code: string } | { link: string; label: string })[]
}

type Composers = { [Name in LetterName]: (messages: Messages, values: LetterValues[Name]) => Composed }

/**
 * The wording of every letter. No subject says which right was exercised, for it shows on locked screens, and no letter
 * carries data: at most a link to them.
 */
export const COMPOSERS: Composers = {
  'identity-code': ({ say }, { code, minutes, right }) => ({
    subject: say('identity-code.subject'),
    paragraphs: [
      say('identity-code.asked', { right: say(`right.${right}`) }),
      say('identity-code.code'),
      { code },
      say('identity-code.valid', { minutes }),
      say('identity-code.ignore'),
    ],
  }),

  'download-code': ({ say }, { code, minutes }) => ({
    subject: say('download-code.subject'),
    paragraphs: [say('download-code.code'), { code }, say('download-code.valid', { minutes }), say('download-code.ignore')],
  }),

  acknowledgment: ({ say, day }, { right, receivedOn, promisedOn }) => ({
    subject: say('acknowledgment.subject'),
    paragraphs: [
      say('acknowledgment.received', { right: say(`right.${right}`), receivedOn: day(receivedOn) }),
      say('acknowledgment.promise', { promisedOn: day(promisedOn) }),
      say('acknowledgment.not-you'),
    ],
  }),

  ready: ({ say, count, instant }, { link, expiresAt, timeZone, uses }) => ({
    subject: say('ready.subject'),
    paragraphs: [
      say('ready.ready'),
      { link: webAddress(link), label: say('ready.action') },
      say('ready.expires', { expiresAt: instant(expiresAt, timeZone) }),
      count('ready.uses', uses, { uses }),
      say('ready.code'),
    ],
  }),

  lapsed: ({ say }) => ({
    subject: say('lapsed.subject'),
    paragraphs: [say('lapsed.ended'), say('lapsed.again'), say('complaint')], // GDPR Art. 12(4)
  }),

  withdrawn: ({ say }) => ({
    subject: say('withdrawn.subject'),
    paragraphs: [say('withdrawn.ended'), say('withdrawn.again')],
  }),

  cancelled: ({ say }, { reason }) => ({
    subject: say('cancelled.subject'),
    paragraphs: [say('cancelled.ended'), say(`cancelled.reason.${reason}`), say('complaint')], // GDPR Art. 12(4)
  }),

  'deadline-alarm': ({ say, day }, { right, level, dueOn, state, flags }) => ({
    subject: say('deadline-alarm.subject', { dueOn: day(dueOn) }),
    paragraphs: [
      say(`deadline-alarm.level.${level}`),
      say('deadline-alarm.right', { right: say(`right.${right}`) }),
      say('deadline-alarm.dueOn', { dueOn: day(dueOn) }),
      say('deadline-alarm.state', { state }),
      flags.length > 0 ? say('deadline-alarm.flags', { flags: flags.join(', ') }) : say('deadline-alarm.flags.none'),
    ],
  }),
}

/** @throws for what is no address of a web page: nothing else is ever made clickable */
function webAddress(link: string): string {
  const { protocol, username, href } = new URL(link)
  if (!/^https?:$/.test(protocol) || username) throw new Error('A letter links to a web page only.')
  return href
}
