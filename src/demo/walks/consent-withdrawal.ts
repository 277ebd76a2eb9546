import { askLms, showTable } from '../lms-tables.ts'
import { tellStanding } from '../lookup.ts'
import type { Stage, Walk } from '../stage.ts'

/** Consent goes as easily as it was given, by purpose and by kind of cookie, with a receipt. */
export const consentWithdrawal: Walk = async stage => {
  await askLms(stage.house.lmsUrl, 'update lms_accounts.consents set granted = true where user_id = $1', [stage.person.userId])
  await showConsents(stage, 'before')
  const at = await stage.open(stage.portal, {
    type: 'consent_withdrawal',
    details: { purposes: ['marketing'], cookies: ['analytics'] },
  })
  await stage.reaches(at, 'completed')
  await showConsents(stage, 'after ')
  await stage.letter(stage.person.email, /receipt/)
  await tellStanding(stage)
}

async function showConsents({ house, person, show }: Stage, moment: string): Promise<void> {
  const rows = await askLms<{ purpose: string; granted: boolean }>(
    house.lmsUrl,
    'select purpose, granted from lms_accounts.consents where user_id = $1 order by id',
    [person.userId],
  )
  const granted = rows.map(row => [row.purpose, row.granted ? 'granted' : 'withdrawn'])
  showTable(show, `consents ${moment}`, Object.fromEntries(granted))
}
