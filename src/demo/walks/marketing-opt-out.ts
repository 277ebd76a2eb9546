import { codeIn, HAS_CODE } from '../code-in.ts'
import { askLms, showUses } from '../lms-tables.ts'
import { tellStanding } from '../lookup.ts'
import type { Walk } from '../stage.ts'

/** No account, no login: whoever reads the address can end what is written to it. */
export const marketingOptOut: Walk = async stage => {
  const { anybody, person, tell } = stage
  await askLms(stage.house.lmsUrl, 'update lms_accounts.consents set granted = true where user_id = $1', [person.userId])
  await showUses(stage, 'before')
  const at = await stage.open(anybody, {
    type: 'marketing_opt_out',
    subject: { identities: [{ type: 'email', value: person.email }] },
  })
  const code = codeIn((await stage.letter(person.email, HAS_CODE)).text)
  await anybody('POST', `${at}/proofs`, { method: 'email_code', code })
  tell('the code from the letter is all that is asked')
  await stage.reaches(at, 'completed')
  await showUses(stage, 'after ')
  await stage.letter(person.email, /you get no more advertising/)
  await tellStanding(stage)
}
