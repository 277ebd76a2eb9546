import { askLms, showTable } from '../lms-tables.ts'
import type { Stage, Walk } from '../stage.ts'

/** What is wrong is corrected where it is kept, and read back. */
export const rectification: Walk = async stage => {
  const { person } = stage
  await showAccount(stage, 'before')
  const corrections = [
    { dataset: 'account', field: 'name', from: person.name, to: 'Ana Perera-Silva' },
    { dataset: 'account', field: 'city', from: 'Köln', to: 'Leipzig' },
  ]
  const at = await stage.open(stage.portal, { type: 'rectification', details: { corrections } })
  await stage.reaches(at, 'completed')
  await showAccount(stage, 'after ')
  const { text } = await stage.letter(person.email, /corrected this/)
  stage.show(text.split('\n').filter(line => line.startsWith(' *') || line.startsWith('*')))
}

async function showAccount({ house, person, show }: Stage, moment: string): Promise<void> {
  const sql = 'select name, city, country from lms_accounts.users where user_id = $1'
  const [account = {}] = await askLms<Record<string, string>>(house.lmsUrl, sql, [person.userId])
  showTable(show, `account ${moment}`, account)
}
