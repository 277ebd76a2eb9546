import { callers, until } from './callers.ts'
import { linkIn } from './letters.ts'
import type { Service } from './service.ts'
import type { Person } from './small-house.ts'

export interface AnsweredRequest {
  id: string
  /** Its path. */
  at: string
  /** The path of the download link that was mailed. */
  link: string
}

/** A request that somebody made at the portal, answered and mailed. */
export async function answeredRequest(service: Service, { userId, email }: Person): Promise<AnsweredRequest> {
  const { person, agent } = callers(service)
  const opened = await person(userId, email)('/v1/requests', { body: { type: 'access', subject: {} } })
  if (opened.status !== 201) throw new Error(`It was not opened: ${JSON.stringify(opened.body)}`)
  const { id } = opened.body
  const at = `/v1/requests/${id}`
  const staff = agent()
  await until(
    () => staff(at),
    ({ body }) => body.state === 'completed',
  )
  return { id, at, link: linkIn(await letterWithLink(service, id)) }
}

/** The newest letter with a link for this request that arrived after so many. */
export const letterWithLink = (service: Service, requestId: string, after = 0) =>
  service.mailbox.waitFor(
    ({ number, text }) => number > after && text.includes(requestId) && text.includes('/v1/downloads/'),
    10_000,
  )
