import { codeIn, HAS_CODE } from '../code-in.ts'
import { fetchPackage, type Granted, linkIn } from '../fetch-package.ts'
import type { Walk } from '../stage.ts'
import { tellHandedOver } from '../tell-handed-over.ts'

/** A copy of everything, asked for through a support agent, from intake to the saved package. */
export const access: Walk = async ({ anybody, agent, person, tell, open, letter, reaches }) => {
  const at = await open(agent, {
    type: 'access',
    subject: { identities: [{ type: 'email', value: person.email }], name: person.name, country: person.country, locale: 'en' },
    channel: 'support_ticket',
    reference: 'ZD-5531',
  })
  const code = codeIn((await letter(person.email, HAS_CODE)).text)
  await anybody('POST', `${at}/proofs`, { method: 'email_code', code })
  tell('the person typed the code: identity proven, the adapters are asked')
  const { completeness } = await reaches(at, 'completed')
  tellHandedOver(completeness, tell)
  const link = linkIn((await letter(person.email, /\/v1\/downloads\//)).text)
  await anybody('POST', link, { step: 'send' })
  const granted = await anybody<Granted>('POST', link, { code: codeIn((await letter(person.email, HAS_CODE)).text) })
  tell(`opened with a fresh code; downloading ${granted.bytes} bytes`)
  const path = await fetchPackage(at, granted)
  tell(`saved, and its SHA-256 is the announced one: ${granted.sha256}`)
  return path
}
