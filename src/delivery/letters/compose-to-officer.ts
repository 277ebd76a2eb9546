import type { Composed, Composers } from './composed.ts'
import type { DigestList } from './letters.ts'
import type { MessageKey, Messages } from './messages.ts'

/** To the privacy officer: requests by their references, no people. */
export const TO_OFFICER = {
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

  'forwarding-alarm': ({ say, day }, { controller, forwarding, alarm, dueOn, reminded }) => ({
    subject: say('forwarding-alarm.subject'),
    paragraphs: [
      say(`forwarding-alarm.${alarm}`, { controller, forwarding, dueOn: day(dueOn) }),
      say(reminded ? 'forwarding-alarm.reminded' : 'forwarding-alarm.not-reminded'),
      say('forwarding-alarm.todo'),
    ],
  }),

  'message-arrived': ({ say }, { right }) => ({
    subject: say('message-arrived.subject'),
    paragraphs: [say('message-arrived.where', { right: say(`right.${right}`) })],
  }),

  repudiated: ({ say }, { right, effect }) => ({
    subject: say('repudiated.subject'),
    paragraphs: [
      say('repudiated.right', { right: say(`right.${right}`) }),
      say(`repudiated.effect.${effect}`),
      say('repudiated.todo'),
    ],
  }),

  'erasure-undone': ({ say }, { adapters }) => ({
    subject: say('erasure-undone.subject'),
    paragraphs: [say('erasure-undone.where', { adapters: adapters.join(', ') }), say('erasure-undone.todo')],
  }),

  guessing: ({ say }) => ({
    subject: say('guessing.subject'),
    paragraphs: [say('guessing.what'), say('guessing.todo')],
  }),

  'budget-spent': ({ say }, { viewer, budget }) => ({
    subject: say('budget-spent.subject'),
    paragraphs: [say('budget-spent.who', { viewer, budget }), say('budget-spent.todo')],
  }),

  'adapter-late': ({ say, count, day }, { adapter, owner, backlog, late, perHour, doneOn }) => ({
    subject: say('adapter-late.subject', { adapter }),
    paragraphs: [
      count('adapter-late.late', late, { adapter, late, backlog }),
      doneOn === null ? say('adapter-late.silent', { adapter }) : say('adapter-late.pace', { perHour, doneOn: day(doneOn) }),
      owner === null ? say('adapter-late.unowned') : say('adapter-late.owner', { owner }),
      say('adapter-late.todo'),
    ],
  }),

  'task-for-you': ({ say, day }, { adapter, action, doBy, mail }) => ({
    subject: say(mail === 1 ? 'task-for-you.subject' : 'task-for-you.subject.again', { adapter }),
    paragraphs: [
      say(`task-for-you.action.${action}`, { adapter }),
      say('task-for-you.doBy', { doBy: day(doBy) }),
      say('task-for-you.how'),
    ],
  }),

  'daily-digest': (messages, { date, open, overdue, dueSoon, needsDecision, untold, opened, unheard }) => ({
    subject: messages.say('daily-digest.subject', { date: messages.day(date) }),
    paragraphs: [
      messages.count('daily-digest.open', open, { open }),
      ...digestOf(messages, 'daily-digest.overdue', overdue),
      ...digestOf(messages, 'daily-digest.dueSoon', dueSoon),
      ...digestOf(messages, 'daily-digest.needsDecision', needsDecision),
      ...digestOf(messages, 'daily-digest.untold', untold),
      ...digestOf(messages, 'daily-digest.opened', opened),
      ...(unheard > 0 ? [messages.count('daily-digest.unheard', unheard, { unheard })] : []),
    ],
  }),
} satisfies Partial<Composers>

function digestOf({ say, day }: Messages, heading: MessageKey, { total, first }: DigestList): Composed['paragraphs'] {
  const lines = first.map(({ reference, right, dueOn, flags }) => {
    const values = { reference, right, dueOn: day(dueOn) }
    return flags.length > 0
      ? say('daily-digest.line', { ...values, flags: flags.join(', ') })
      : say('daily-digest.line.plain', values)
  })
  const more = total - first.length
  const items = more > 0 ? [...lines, say('daily-digest.more', { more })] : lines
  return [say(heading, { total }), ...(items.length > 0 ? [{ items }] : [])]
}
