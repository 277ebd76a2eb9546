import type { Composers } from './composed.ts'
import { notYou } from './not-you.ts'
import { plainText } from './plain-text.ts'
import { webAddress } from './web-address.ts'

/** How a request is coming along: who asks, what is ready, what has ended. */
export const ABOUT_PROGRESS = {
  'identity-code': (messages, { code, minutes, right, notYou: means }) => ({
    subject: messages.say('identity-code.subject'),
    paragraphs: [
      messages.say('identity-code.asked', { right: messages.say(`right.${right}`) }),
      messages.say('identity-code.code'),
      { code },
      messages.say('identity-code.valid', { minutes }),
      messages.say('identity-code.ignore'),
      ...notYou(messages, means),
    ],
  }),

  'login-needed': (messages, { right, why, secondFactor, notYou: means }) => ({
    subject: messages.say('login-needed.subject'),
    paragraphs: [
      messages.say(`login-needed.why.${why}`),
      messages.say('login-needed.right', { right: messages.say(`right.${right}`) }),
      messages.say(secondFactor ? 'login-needed.second-factor' : 'login-needed.login'),
      messages.say('login-needed.cannot'),
      ...notYou(messages, means),
    ],
  }),

  'download-code': ({ say }, { code, minutes }) => ({
    subject: say('download-code.subject'),
    paragraphs: [say('download-code.code'), { code }, say('download-code.valid', { minutes }), say('download-code.ignore')],
  }),

  acknowledgment: (messages, { right, receivedOn, promisedOn, notYou: means }) => {
    const { say, day } = messages
    return {
      subject: say('acknowledgment.subject'),
      paragraphs: [
        say('acknowledgment.received', { right: say(`right.${right}`), receivedOn: day(receivedOn) }),
        say('acknowledgment.promise', { receivedOn: day(receivedOn), promisedOn: day(promisedOn) }),
        ...notYou(messages, means),
      ],
    }
  },

  'report-received': ({ say }) => ({
    subject: say('report-received.subject'),
    paragraphs: [say('report-received.thanks'), say('report-received.no-more')],
  }),

  'message-waiting': ({ say }) => ({
    subject: say('message-waiting.subject'),
    paragraphs: [say('message-waiting.where')],
  }),

  ready: ({ say, count, instant }, { link, expiresAt, timeZone, uses, transmission }) => ({
    subject: say('ready.subject'),
    paragraphs: [
      say('ready.ready'),
      { link: webAddress(link), label: say('ready.action') },
      say('ready.expires', { expiresAt: instant(expiresAt, timeZone) }),
      count('ready.uses', uses, { uses }),
      say('ready.code'),
      ...(transmission ? [say(`ready.transmission.${transmission.outcome}`, { receiver: transmission.receiver })] : []),
      ...(transmission && transmission.outcome !== 'delivered' ? [say('ready.transmission.yourself'), say('complaint')] : []),
    ],
  }),

  forwarding: ({ say, day }, { forwarding, right, dueOn }) => ({
    subject: say('forwarding.subject'),
    paragraphs: [
      say('forwarding.asked', { right: say(`right.${right}`) }),
      say('forwarding.fetch', { forwarding }),
      say('forwarding.due', { dueOn: day(dueOn) }),
    ],
  }),

  'forwarding-reminder': ({ say, day }, { forwarding, alarm, forwardedOn, dueOn }) => ({
    subject: say('forwarding-reminder.subject'),
    paragraphs: [
      say(`forwarding-reminder.${alarm}`, { forwarding, forwardedOn: day(forwardedOn), dueOn: day(dueOn) }),
      say('forwarding-reminder.todo'),
    ],
  }),

  forwarded: ({ say, day }, { controller, contact, parts, forwardedOn, dueOn }) => ({
    subject: say('forwarded.subject'),
    paragraphs: [
      say('forwarded.to', { controller, forwardedOn: day(forwardedOn) }),
      { items: parts.map(plainText) },
      say('forwarded.due', { controller, dueOn: day(dueOn), contact }),
      say('forwarded.rest'),
    ],
  }),

  'contents-opened': ({ say, instant }, { role, reason, what, until, timeZone }) => ({
    subject: say('contents-opened.subject'),
    paragraphs: [
      say('contents-opened.who', { role: say(`contents-opened.role.${role}`), until: instant(until, timeZone) }),
      { items: what.map(one => say(`contents-opened.what.${one}`)) },
      say('contents-opened.why', { reason: say(`contents-opened.reason.${reason}`) }),
      say('contents-opened.recorded'),
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

  'contact-changed': (messages, { right, notYou: means }) => ({
    subject: messages.say('contact-changed.subject'),
    paragraphs: [
      messages.say('contact-changed.what'),
      messages.say('contact-changed.waits', { right: messages.say(`right.${right}`) }),
      messages.say('contact-changed.yours'),
      ...notYou(messages, means),
    ],
  }),

  'request-repudiated': ({ say }, { right, effect, freezeDays }) => ({
    subject: say('request-repudiated.subject'),
    paragraphs: [
      say('request-repudiated.said', { right: say(`right.${right}`) }),
      say(`request-repudiated.effect.${effect}`),
      say('request-repudiated.freeze', { days: freezeDays }),
      say('request-repudiated.wrong'),
    ],
  }),

  cancelled: ({ say }, { reason }) => ({
    subject: say('cancelled.subject'),
    paragraphs: [say('cancelled.ended'), say(`cancelled.reason.${reason}`), say('complaint')], // GDPR Art. 12(4)
  }),
} satisfies Partial<Composers>
