import { showUses } from '../lms-tables.ts'
import { tellStanding } from '../lookup.ts'
import { refusal } from '../refusal.ts'
import type { Walk } from '../stage.ts'

/** Marketing ends because the person says so; against anything else our grounds are weighed, by people. */
export const objection: Walk = async stage => {
  const { portal, officer, person, tell } = stage
  await showUses(stage, 'before')
  const at = await stage.open(portal, { type: 'objection', details: { purposes: ['marketing'] } })
  await stage.reaches(at, 'completed')
  await showUses(stage, 'after ')
  await stage.letter(person.email, /accept your objection/)
  await tellStanding(stage)

  tell('an objection to security is another matter: there may be compelling grounds for it')
  const weighed = await stage.open(portal, {
    type: 'objection',
    details: { purposes: ['security'], reasons: 'I share my computer at the library.' },
  })
  await stage.becomes(weighed, ({ flags }) => flags.includes('needs_decision'))
  const no = { kind: 'refuse', ground: 'compelling_grounds', reasons: '' }
  tell(`refused without a reason? ${await refusal(officer('POST', `${weighed}/decisions`, no, { asRead: weighed }))}`)
  const reasons = 'Without these logs nobody could tell a stolen account from yours. They are kept for 90 days.'
  await officer('POST', `${weighed}/decisions`, { ...no, reasons }, { asRead: weighed })
  tell('the officer weighed it, and refused it with reasons')
  const { text } = await stage.letter(person.email, /Article 21\(1\)/)
  stage.show(text.split('\n').filter(line => /Article (21|77|79)/.test(line)))
}
