import { fetchPackage, type Granted, linkIn } from '../fetch-package.ts'
import type { Walk } from '../stage.ts'

/** What the person provided and what was observed of them, from the portal: logged in, nobody needs a code. */
export const portability: Walk = async ({ portal, person, tell, open, letter, reaches }) => {
  const at = await open(portal, { type: 'portability' })
  const { completeness } = await reaches(at, 'completed')
  tell(`sealed and handed over, complete: ${completeness?.complete}; what was inferred (grades, risk scores) is not in it`)
  const link = linkIn((await letter(person.email, /\/v1\/downloads\//)).text)
  const granted = await portal<Granted>('POST', link, {})
  tell(`opened with the session at the portal; downloading ${granted.bytes} bytes`)
  return fetchPackage(at, granted)
}
