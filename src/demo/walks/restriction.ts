import { showUses } from '../lms-tables.ts'
import { tellStanding } from '../lookup.ts'
import type { Walk } from '../stage.ts'

/** Data that are disputed stand still, and are used again only after a notice. */
export const restriction: Walk = async stage => {
  const { portal, person, tell } = stage
  await showUses(stage, 'before')
  const at = await stage.open(portal, { type: 'restriction', details: { ground: '18_1_a' } })
  await stage.reaches(at, 'completed')
  await showUses(stage, 'after ')
  await stage.letter(person.email, /Article 18\(2\)/)
  await tellStanding(stage)

  tell('the dispute is over: the person has the restriction lifted')
  const lifting = await stage.open(portal, { type: 'restriction', details: { lifts: at.slice(at.lastIndexOf('/') + 1) } })
  const { coolsOffAt } = await stage.becomes(lifting, ({ state }) => state === 'cooling_off')
  await stage.letter(person.email, /Article 18\(3\)/)
  tell(`before it ends there is a notice, until ${coolsOffAt}`)
  await stage.later('P7D')
  await stage.reaches(lifting, 'completed')
  await showUses(stage, 'again ')
  await stage.letter(person.email, /has ended/)
  await tellStanding(stage)
}
