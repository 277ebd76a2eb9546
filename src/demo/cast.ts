import { apiClient, type Client } from './client.ts'
import { type House, tokenFor } from './house.ts'
import type { Person } from './lms/seed-person.ts'

/** Who takes part in a walk, each with a token of their own. */
export interface Cast {
  anybody: Client
  /** The person, logged in at the portal just now. */
  portal: Client
  agent: Client
  /** Decides, and runs the house. */
  officer: Client
  /** The second person, where one alone may not decide. */
  dpo: Client
  /** A service that looks people up before it uses their data. */
  crm: Client
}

export const castOf = (house: House, person: Person): Cast => ({
  anybody: apiClient(house.url),
  ...(Object.fromEntries(
    Object.entries(tokensOf(house, person)).map(([name, token]) => [name, apiClient(house.url, token)]),
  ) as Record<keyof ReturnType<typeof tokensOf>, Client>),
})

/** For half a day, to try things by hand. */
export const tokensOf = ({ issuer }: House, { userId, email }: Person) => ({
  portal: tokenFor(issuer, 'portal', {
    sub: userId,
    email,
    email_verified: true,
    auth_time: Math.floor(performance.timeOrigin / 1000),
  }),
  agent: tokenFor(issuer, 'support_agent', { sub: 'agent-7', roles: ['agent'] }),
  officer: tokenFor(issuer, 'support_agent', { sub: 'officer-1', roles: ['privacy_officer', 'operator'] }),
  dpo: tokenFor(issuer, 'support_agent', { sub: 'dpo-1', roles: ['dpo'] }),
  crm: tokenFor(issuer, 'service', {
    sub: 'crm',
    client_id: 'crm',
    scope: 'requests:open requests:read adapters:read adapters:write subjects:lookup subjects:consent',
  }),
})
