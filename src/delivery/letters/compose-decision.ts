import type { Composed, Composers } from './composed.ts'
import { itemOf } from './foreign.ts'
import type { LetterValues } from './letters.ts'
import type { Messages } from './messages.ts'
import { quoted } from './quoted.ts'
import { remedies } from './remedies.ts'

/** What belongs to every refusal: the ground, the provision, the reasons and the remedies. */
const groundsOf = (
  messages: Messages,
  { ground, citation, reasons, authority }: LetterValues['refusal'],
): Composed['paragraphs'] => [
  messages.say(`refusal.ground.${ground}`),
  ...(citation ? [messages.say('refusal.citation', { citation })] : []),
  messages.say('refusal.reasons'),
  quoted(reasons),
  ...remedies(messages, authority),
]

/** What people decide or ask, in their own words and with what the law adds to them. */
export const ABOUT_DECISIONS = {
  clarification: ({ say }, { about, question }) => ({
    subject: say('clarification.subject'),
    paragraphs: [
      say(`clarification.about.${about}`),
      quoted(question),
      ...(about === 'identity' ? [say('clarification.no-documents')] : []), // EDPB Guidelines 01/2022 §74-79
      say('clarification.answer'),
    ],
  }),

  extension: ({ say, day }, { reasonCode, reasons, receivedOn, dueOn }) => ({
    subject: say('extension.subject'),
    paragraphs: [
      say('extension.until', { receivedOn: day(receivedOn), dueOn: day(dueOn) }),
      say(`extension.reason.${reasonCode}`),
      say('extension.reasons'),
      quoted(reasons),
      say('complaint'),
    ],
  }),

  'fee-notice': ({ say, money }, { amount, currency, reasons }) => ({
    subject: say('fee-notice.subject'),
    paragraphs: [
      say('fee-notice.amount', { amount: money(amount, currency) }),
      say('fee-notice.reasons'),
      quoted(reasons),
      say('fee-notice.withdraw'),
      say('complaint'),
    ],
  }),

  refusal: (messages, values) => ({
    subject: messages.say('refusal.subject'),
    paragraphs: [
      messages.say('refusal.decided', { right: messages.say(`right.${values.right}`) }),
      ...groundsOf(messages, values),
    ],
  }),

  'partial-refusal': (messages, { parts = [], ...values }) => ({
    subject: messages.say('partial-refusal.subject'),
    paragraphs: [
      messages.say('partial-refusal.decided', { right: messages.say(`right.${values.right}`) }),
      ...(parts.length > 0 ? [messages.say('partial-refusal.parts'), { items: parts.map(part => itemOf(messages, part)) }] : []),
      ...groundsOf(messages, values),
    ],
  }),

  'objection-decided': (messages, decided) => ({
    subject: messages.say('objection-decided.subject'),
    paragraphs: [
      messages.say(`objection-decided.${decided.outcome}`),
      { items: decided.purposes.map(purpose => messages.say(`purpose.${purpose}`)) },
      ...(decided.outcome === 'refused'
        ? [messages.say('objection-decided.reasons'), quoted(decided.reasons), ...remedies(messages, decided.authority)]
        : []),
      ...(decided.outcome === 'upheld' && decided.isPart ? [messages.say('objection-decided.part')] : []),
    ],
  }),

  answered: ({ say }, { text }) => ({
    subject: say('answered.subject'),
    paragraphs: [say('answered.answer'), quoted(text), say('complaint')],
  }),
} satisfies Partial<Composers>
