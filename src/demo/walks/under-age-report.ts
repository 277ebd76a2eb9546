import { showRows, showUses } from '../lms-tables.ts'
import { tellStanding } from '../lookup.ts'
import { refusal } from '../refusal.ts'
import type { Walk } from '../stage.ts'

/** Somebody says that a child has an account: it stands still at once, can be contested, and goes when people have looked. */
export const underAgeReport: Walk = async stage => {
  const { anybody, officer, person, tell } = stage
  await showUses(stage, 'before')
  const at = await stage.open(anybody, {
    type: 'under_age_report',
    subject: { identities: [{ type: 'email', value: person.email }] },
    requester: { relationship: 'reporter' },
  })
  const { coolsOffAt } = await stage.becomes(at, ({ state }) => state === 'cooling_off')
  await stage.letter(person.email, /too young/)
  await stage.reaches(at, 'cooling_off')
  await showUses(stage, 'after ')
  tell(
    `it can be contested until ${coolsOffAt}; whoever reported it without a name cannot even ask: ${await refusal(anybody('GET', at))}`,
  )
  await tellStanding(stage)
  await stage.later('P14D')
  await stage.becomes(at, ({ flags }) => flags.includes('needs_decision'))
  tell('nobody contested it; as anybody can report anybody, a person looks before anything is erased')
  await officer('POST', `${at}/decisions`, { kind: 'approve' }, { asRead: at })
  await stage.reaches(at, 'completed')
  await showRows(stage, 'after ')
  await stage.letter(person.email, /we erased/)
}
