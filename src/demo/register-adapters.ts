import { apiClient } from './client.ts'
import { type House, tokenFor } from './house.ts'

const TITLES: Record<string, string> = {
  accounts: 'Accounts',
  billing: 'Billing',
  learning: 'Learning',
  analytics: 'Analytics',
  support: 'Support desk',
}

/** Puts every adapter of the learning platform into the register. */
export async function registerAdapters({ url, issuer, lms }: House): Promise<void> {
  const operator = apiClient(url, tokenFor(issuer, 'support_agent', { sub: 'operator-1', roles: ['operator'] }))
  for (const { name, url: baseUrl, secret } of lms.adapters)
    await operator('POST', '/v1/adapters', { baseUrl, secret, title: TITLES[name] ?? name })
}
