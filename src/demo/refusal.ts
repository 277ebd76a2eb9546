import { Refused } from './client.ts'

/** What the API says to what it must not allow. @throws when it allows it, and what else goes wrong */
export async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call
  } catch (error) {
    if (error instanceof Refused) return `refused with ${error.status}: ${error.detail}`
    throw error
  }
  throw new Error('What had to be refused was allowed.')
}
