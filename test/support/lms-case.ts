import pg from 'pg'
import { startLms } from '../../src/demo/lms/lms.ts'
import { seedPeople } from '../../src/demo/lms/seed-person.ts'
import { type Answered, type Call, callers, until } from './callers.ts'
import { createDatabase } from './database.ts'
import { letIn } from './let-in.ts'
import { type Service, startService } from './service.ts'

export const KAMAL = { userId: 'u-kamal', email: 'kamal@campus.example' }
export const GRACE = { userId: 'u-grace', email: 'grace@campus.example' }

/** A service with the five adapters of the sample learning platform, in which Kamal and Grace have been busy. */
export interface LmsCase {
  service: Service
  officer: Call
  /** Logged in at the portal just now. */
  kamal: Call
  grace: Call
  as: ReturnType<typeof callers>
  lms: pg.Pool
  /** @returns the path of the request */
  open(by: Call, body: Record<string, unknown>): Promise<string>
  see(at: string, fits: (request: Answered['body']) => boolean, milliseconds?: number): Promise<Answered['body']>
  /** Moves the clock, and has what runs by it look at it. */
  pass(hours: number): Promise<void>
  events(at: string): Promise<string[]>
  /** The text of the mail to somebody that says this, once it has come. */
  mailTo(person: { email: string }, words: string): Promise<string>
  /** What services are told of somebody. */
  standing(person: { email: string }): Promise<Answered['body']>
  /** The officer decides on what they read just now. */
  decide(at: string, body: Record<string, unknown>, by?: Call): Promise<Answered>
  /** Posts, with the ETag of the request as it is now. */
  post(by: Call, at: string, part: string, body?: unknown): Promise<Answered>
  close(): Promise<void>
}

/** Lines of a mail are broken anywhere. */
const unwrapped = (text: string) => text.replace(/\s+/g, ' ')

const HOUR_MS = 3_600_000

export async function startLmsCase(env: Record<string, string> = {}): Promise<LmsCase> {
  const database = await createDatabase()
  const running = await startLms({ databaseUrl: database.url })
  await seedPeople(
    database.url,
    [KAMAL, GRACE].map((person, i) => ({ ...person, name: 'Kamal Perera', country: 'DE', profile: 'light', seed: 11 + i })),
  )
  const service = await startService({
    env: { ADAPTER_ALLOWED_HOSTS: running.adapters.map(({ url }) => new URL(url).host).join(','), ...env },
  })
  const as = callers(service)
  const officer = as.agent(['privacy_officer', 'operator'])
  for (const { name, url, secret } of running.adapters) {
    const { status, body } = await officer('/v1/adapters', { body: { baseUrl: url, secret, title: name } })
    if (status !== 201) throw new Error(`${name} was not registered: ${JSON.stringify(body)}`)
  }
  await letIn(service)
  const lms = new pg.Pool({ connectionString: database.url, max: 2 })
  const post: LmsCase['post'] = async (by, at, part, body) => {
    const etag = (await officer(at)).headers.get('etag') ?? ''
    return by(`${at}/${part}`, { method: 'POST', ...(body !== undefined && { body }), headers: { 'if-match': etag } })
  }
  return {
    service,
    officer,
    as,
    lms,
    kamal: as.person(KAMAL.userId, KAMAL.email),
    grace: as.person(GRACE.userId, GRACE.email),
    async open(by, body) {
      const { status, body: request } = await by('/v1/requests', { body: { subject: {}, ...body } })
      if (status !== 201) throw new Error(`It was not opened: ${JSON.stringify(request)}`)
      return `/v1/requests/${request.id}`
    },
    see: async (at, fits, ms = 20_000) =>
      (
        await until(
          () => officer(at),
          ({ body }) => fits(body),
          ms,
        )
      ).body,
    async pass(hours) {
      service.clock.advanceAlone(hours * HOUR_MS)
      await service.app.handlers['end-cooling-off']({})
      await service.app.handlers['look-again']({})
    },
    events: async at => (await officer(`${at}/timeline`)).body.entries.map(({ event }: { event: string }) => event),
    mailTo: async ({ email }, words) =>
      unwrapped(
        (
          await service.mailbox.waitFor(
            ({ envelope, text }) => envelope.to.includes(email) && unwrapped(text).includes(words),
            10_000,
          )
        ).text,
      ),
    async standing({ email }) {
      const { body } = await as.service()('/v1/subjects/lookup', { body: { identities: [{ type: 'email', value: email }] } })
      return body.subjects[0]
    },
    decide: (at, body, by = officer) => post(by, at, 'decisions', body),
    post,
    async close() {
      await service.close()
      await running.close()
      await lms.end()
      await database.drop()
    },
  }
}
