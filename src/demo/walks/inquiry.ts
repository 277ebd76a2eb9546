import { OFFICER } from '../house.ts'
import type { Walk } from '../stage.ts'

/** A question that people answer; while nobody does, the officer is alarmed. */
export const inquiry: Walk = async stage => {
  const { portal, officer, person, tell } = stage
  const at = await stage.open(portal, { type: 'inquiry', details: { message: 'Who of you can read my grades?' } })
  await stage.becomes(at, ({ flags }) => flags.includes('needs_decision'))
  await officer('POST', `${at}/messages`, { text: 'Do you mean those of this year?' })
  tell('the officer asks back; the mail says that there is a message, and not what it says:')
  await stage.letter(person.email, /There is a message/)
  await portal('POST', `${at}/messages`, { text: 'All of them.' })
  tell('the person answered; then nobody does anything')
  await stage.later('P21D')
  await stage.letter(OFFICER, /Deadline alarm[\s\S]*ten days/)
  await stage.later('P7D')
  await stage.letter(OFFICER, /Deadline alarm[\s\S]*three days/)
  await officer('POST', `${at}/answer`, { text: 'Your teachers, and nobody else.' }, { asRead: at })
  tell('the officer answers')
  const { text } = await stage.letter(person.email, /Your teachers/)
  stage.show(text.split('\n').filter(line => line.includes('teachers')))
  await stage.becomes(at, ({ state }) => state === 'completed')
}
