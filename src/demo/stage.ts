import { becomes, type RequestSeen, recorded } from './await-request.ts'
import { type Cast, castOf } from './cast.ts'
import type { Client } from './client.ts'
import { taskFollower } from './follow-tasks.ts'
import type { House } from './house.ts'
import { type Person, seedPerson } from './lms/seed-person.ts'
import type { Mail } from './mailbox.ts'

/** Where one right is walked for one person: who takes part, and what can be seen and done. Every step is one line. */
export interface Stage extends Cast {
  house: House
  person: Person
  tell(line: string): void
  /** Lines that belong to the step before. */
  show(lines: readonly string[]): void
  /** @returns the request's path */
  open(by: Client, body: Record<string, unknown>): Promise<string>
  /** Waits until a request is in a state and nothing is under way, telling what the adapters answer meanwhile. @throws when it needs a person instead */
  reaches(at: string, state: string): Promise<RequestSeen>
  /** Waits until a request is as it should be, whatever it takes. */
  becomes(at: string, fits: (request: RequestSeen) => boolean): Promise<RequestSeen>
  /** The next letter to an address that fits, and tells of it. */
  letter(to: string, fits: RegExp): Promise<Mail>
  /** Waits until something stands on the request's record. */
  recorded(at: string, event: string): Promise<void>
  /** Moves the clock of the whole house, by an ISO 8601 duration. */
  later(duration: string): Promise<void>
}

/** Walks one right. @returns the path of the package, where there is one */
export type Walk = (stage: Stage) => Promise<string | undefined>

export async function openStage(house: House, person: Person, say: (line: string) => void, tell: Stage['tell']): Promise<Stage> {
  await seedPerson(house.lmsUrl, person)
  const cast = castOf(house, person)
  const read = new Set(house.mailbox.messages().map(({ number }) => number)) // by whoever was here before
  return {
    ...cast,
    house,
    person,
    tell,
    show: lines => {
      for (const line of lines) say(`${' '.repeat(12)}${line}`)
    },
    async open(by, body) {
      const request = await by<RequestSeen>('POST', '/v1/requests', { subject: {}, ...body })
      tell(`asked for: ${body.type}, request ${request.id}, promised by ${request.dueOn}, legally due ${request.legalDueOn}`)
      return `/v1/requests/${request.id}`
    },
    reaches: taskFollower(cast.officer, tell),
    becomes: becomes(cast.officer),
    recorded: recorded(cast.officer),
    async letter(to, fits) {
      const mail = await house.mailbox.waitFor(
        ({ number, envelope, text, subject }) =>
          !read.has(number) && envelope.to.includes(to) && fits.test(`${subject}\n${text}`),
        30_000,
      )
      read.add(mail.number)
      tell(`a letter to ${to} (mail ${mail.number}): “${mail.subject}”`)
      return mail
    },
    async later(duration) {
      const { now } = await cast.officer<{ now: string }>('POST', '/v1/test/clock', { advance: duration })
      tell(`— the clock is moved by ${duration}: it is ${now.slice(0, 16).replace('T', ' ')} UTC —`)
    },
  }
}
