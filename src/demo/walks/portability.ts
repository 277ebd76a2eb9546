import { fetchPackage, type Granted, linkIn } from '../fetch-package.ts'
import type { Walk } from '../stage.ts'
import { tellHandedOver } from '../tell-handed-over.ts'

/** What the person provided and what was observed of them, from the portal: logged in, nobody needs a code. */
export const portability: Walk = async ({ portal, person, tell, open, letter, reaches }) => {
  const at = await open(portal, { type: 'portability' })
  const { completeness } = await reaches(at, 'completed')
  tellHandedOver(completeness, tell)
  tell('only what was provided or observed, on consent or a contract, is in it: no grades, no risk scores')
  const link = linkIn((await letter(person.email, /\/v1\/downloads\//)).text)
  const granted = await portal<Granted>('POST', link, {})
  tell(`opened with the session at the portal; downloading ${granted.bytes} bytes`)
  return fetchPackage(at, granted)
}
