import { OFFICER } from '../house.ts'
import { refusal } from '../refusal.ts'
import type { Walk } from '../stage.ts'

/** A decision that a machine made is looked at by a person, who says what became of it. */
export const automatedDecisionReview: Walk = async stage => {
  const { portal, officer, person, tell } = stage
  const at = await stage.open(portal, {
    type: 'automated_decision_review',
    details: { decision: 'My exam was marked as copied.', view: 'I wrote it myself, and have the drafts.' },
  })
  await stage.becomes(at, ({ flags }) => flags.includes('needs_decision'))
  await stage.later('P40D')
  const { flags } = await stage.becomes(at, request => request.flags.includes('overdue'))
  for (const level of [/alarm[\s\S]*ten days/, /alarm[\s\S]*three days/, /alarm[\s\S]*tomorrow/, /alarm[\s\S]*overdue and/])
    await stage.letter(OFFICER, level)
  tell(`nobody did anything: every alarm was raised, once, and the request is flagged ${flags.join(', ')}`)
  const answer = { text: 'A teacher has read your drafts: the mark is taken back.' }
  tell(`answered without an outcome? ${await refusal(officer('POST', `${at}/answer`, answer, { asRead: at }))}`)
  await officer('POST', `${at}/answer`, { ...answer, outcome: 'changed' }, { asRead: at })
  tell('the officer says what became of it: changed')
  const { text } = await stage.letter(person.email, /your drafts/)
  stage.show(text.split('\n').filter(line => line.includes('drafts')))
  await stage.becomes(at, ({ state }) => state === 'completed')
}
