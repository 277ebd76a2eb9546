import type { Composed, Composers } from './composed.ts'
import { itemOf } from './foreign.ts'
import type { FieldName, Kept, Said } from './letters.ts'
import type { Messages } from './messages.ts'
import { notYou } from './not-you.ts'
import { plainText } from './plain-text.ts'
import { quoted } from './quoted.ts'
import { remedies } from './remedies.ts'

const titled = (titles: readonly string[], intro: string) => (titles.length > 0 ? [intro, { items: titles.map(plainText) }] : [])

const fieldsOf = ({ say }: Messages, fields: readonly FieldName[]) =>
  fields.map(({ dataset, field }) => say('rectified.field', { dataset, field }))

/** What has to stay, why and until when; that it stays is the refusal of a part, with what belongs to one. */
const keptItem = ({ say, day }: Messages, { title, reason, statute, until }: Kept) =>
  say('erased.kept.item', { title, statute, until: day(until), reason: say(`erased.kept.reason.${reason}`) })

type Words = NonNullable<Said<'erased'>['only']>

function whatWasErased(
  messages: Messages,
  { erasedOn, only, isAll, before }: Pick<Said<'erased'>, 'erasedOn' | 'before'> & { only: Words; isAll: boolean },
): Composed['paragraphs'] {
  if (before) return [messages.say(isAll ? 'erased.before' : 'erased.before.but')]
  const on = { erasedOn: messages.day(erasedOn) }
  if (only.length > 0) return [messages.say('erased.done.only', on), { items: only.map(each => itemOf(messages, each)) }]
  return [messages.say(isAll ? 'erased.done.all' : 'erased.done', on)]
}

/** What is about to be done to a person's data, and what was. */
export const ABOUT_OUTCOMES = {
  'erasure-announced': (messages, { right, ground, coolsOffAt, timeZone, notYou: means }) => {
    const { say, instant } = messages
    return {
      subject: say('erasure-announced.subject'),
      paragraphs: [
        say('erasure-announced.asked', { right: say(`right.${right}`) }),
        say(`erasure-announced.ground.${ground}`),
        say('erasure-announced.until', { coolsOffAt: instant(coolsOffAt, timeZone) }),
        say('erasure-announced.not-you'),
        ...notYou(messages, means),
      ],
    }
  },

  erased: (messages, said) => {
    const { erasedOn, before, adapters, confirmed = [], only = [], kept, refused = [], forwarded = [], rescans, authority } = said
    const { say, count, day } = messages
    const isAll = kept.length + refused.length + forwarded.length === 0
    return {
      subject: say('erased.subject'),
      paragraphs: [
        ...(adapters + confirmed.length === 0
          ? [say(isAll ? 'erased.none' : 'erased.none.but')]
          : [
              ...whatWasErased(messages, { erasedOn, before, only, isAll }),
              ...(adapters > 0 ? [count('erased.checked', adapters, { services: adapters })] : []),
              ...titled(confirmed, say('erased.confirmed')),
            ]),
        ...(kept.length > 0 ? [say('erased.kept'), { items: kept.map(each => keptItem(messages, each)) }] : []),
        ...titled(refused, say('erased.refused')),
        ...titled(forwarded, say('erased.forwarded')),
        say('erased.record'),
        ...(rescans.length > 0
          ? [say(confirmed.length > 0 ? 'erased.rescans.but' : 'erased.rescans'), { items: rescans.map(day) }]
          : []),
        ...(isAll ? [] : remedies(messages, authority)),
      ],
    }
  },

  restricted: ({ say, day }, { restrictedOn, kept }) => ({
    subject: say('restricted.subject'),
    paragraphs: [
      say('restricted.done', { restrictedOn: day(restrictedOn) }),
      ...titled(kept, say('restricted.kept')),
      say('restricted.notice'),
    ],
  }),

  'restriction-to-be-lifted': ({ say, day }, { liftsOn }) => ({
    subject: say('restriction-to-be-lifted.subject'),
    paragraphs: [say('restriction-to-be-lifted.soon', { liftsOn: day(liftsOn) }), say('restriction-to-be-lifted.disagree')],
  }),

  'restriction-lifted': ({ say }, { remaining }) => ({
    subject: say('restriction-lifted.subject'),
    paragraphs: remaining
      ? [say('restriction-lifted.remaining')]
      : [say('restriction-lifted.done'), say('restriction-lifted.again')],
  }),

  rectified: (messages, { changed, refused }) => ({
    subject: messages.say('rectified.subject'),
    paragraphs: [
      ...(changed.length > 0
        ? [messages.say('rectified.changed'), { items: fieldsOf(messages, changed) }, messages.say('rectified.recipients')]
        : [messages.say('rectified.changed.none')]),
      ...(refused
        ? [
            messages.say('rectified.refused'),
            { items: fieldsOf(messages, refused.fields) },
            messages.say('rectified.refused.reasons'),
            quoted(refused.reasons),
            ...remedies(messages, refused.authority),
          ]
        : []),
    ],
  }),

  'consent-receipt': ({ say, day }, { purposes, cookies, withdrawnOn }) => ({
    subject: say('consent-receipt.subject'),
    paragraphs: [
      say('consent-receipt.withdrawn', { withdrawnOn: day(withdrawnOn) }),
      { items: [...purposes.map(purpose => say(`purpose.${purpose}`)), ...cookies.map(kind => say(`cookies.${kind}`))] },
      say('consent-receipt.effect'),
      say('consent-receipt.keep'),
    ],
  }),

  'opted-out': ({ say, day }, { optedOutOn }) => ({
    subject: say('opted-out.subject'),
    paragraphs: [say('opted-out.done', { optedOutOn: day(optedOutOn) }), say('opted-out.still')],
  }),

  'under-age-restricted': ({ say, instant }, { contestUntil, timeZone }) => ({
    subject: say('under-age-restricted.subject'),
    paragraphs: [
      say('under-age-restricted.told'),
      say('under-age-restricted.stopped'),
      say('under-age-restricted.contest', { contestUntil: instant(contestUntil, timeZone) }),
      say('under-age-restricted.otherwise'),
    ],
  }),

  'under-age-lifted': ({ say }) => ({
    subject: say('under-age-lifted.subject'),
    paragraphs: [say('under-age-lifted.done'), say('under-age-lifted.as-before')],
  }),
} satisfies Partial<Composers>
