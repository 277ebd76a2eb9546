import type { Stage } from './stage.ts'

interface Standing {
  restricted: boolean
  objectedTo: string[]
  consentWithdrawn: { purposes: string[]; cookies: string[] }
  suppressed: boolean
  erased: boolean
  marks: object[]
}

/** What a service learns that asks before it uses the person's address. Tells of what is in force. */
export async function tellStanding({ crm, person, tell }: Stage): Promise<void> {
  const { subjects } = await crm<{ subjects: Standing[] }>('POST', '/v1/subjects/lookup', {
    identities: [{ type: 'email', value: person.email }],
  })
  const { consentWithdrawn = { purposes: [], cookies: [] }, marks: _, ...standing }: Partial<Standing> = subjects[0] ?? {}
  const inForce = Object.entries({ ...standing, consentWithdrawn: [...consentWithdrawn.purposes, ...consentWithdrawn.cookies] })
    .filter(([, value]) => (Array.isArray(value) ? value.length > 0 : value))
    .map(([name, value]) => (value === true ? name : `${name}: ${value}`))
  tell(`a service that looks the address up before it uses it learns: ${inForce.join(', ') || 'nothing is in force'}`)
}
