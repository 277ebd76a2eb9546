import { createHash } from 'node:crypto'
import type { Mail } from '../../src/demo/mail.ts'
import { type Answered, type Call, callers, until } from './callers.ts'
import { codeIn, linkIn } from './letters.ts'
import { knowing, type OnFile, openRegisters, settled } from './registers.ts'
import { type Service, startService } from './service.ts'
import { hostsOf, registerAll } from './small-house.ts'

/** A service that knows some people, for whom others act, and the staff who look at their mandates. */
export interface RepresentedCase {
  service: Service
  as: ReturnType<typeof callers>
  anybody: Call
  agent: Call
  officer: Call
  dpo: Call
  /** Somebody new who is on file. */
  newcomer(): OnFile
  /** Asks for somebody; each call from an address of its own, because claims about others are counted. @returns the path of the request */
  ask(relationship: string, person: OnFile, more?: Record<string, unknown>, by?: Call): Promise<string>
  /** What a support agent noted of a mandate. */
  note(at: string, seen?: Record<string, unknown>, by?: Call): Promise<Answered>
  approve(at: string, noted: Answered, by?: Call): Promise<Answered>
  /** Both, by two people, and what comes of it. */
  mandate(at: string, seen?: Record<string, unknown>): Promise<void>
  prove(at: string, method: string, code: string, more?: object): Promise<Answered>
  /** The newest code mailed to an address. */
  codeTo(email: string): string
  mailsTo(email: string): Mail[]
  see(at: string, state: string): Promise<Answered['body']>
  facts(at: string): Promise<{ event: string; facts: Record<string, unknown> }[]>
  /** Opens the link in the newest letter to an address with the code that is mailed to the same. @returns the ZIP file */
  download(email: string): Promise<Buffer>
  contentCalls(): number
  close(): Promise<void>
}

export const AGENT = { name: 'Marta Lind', email: 'marta@agency.example' }
/** The day on which it was seen. */
export const SEEN_ON = new Date(Date.now() - 30 * 86_400_000).toISOString().slice(0, 10)
const DOCUMENT = createHash('sha256').update('I, Ana, …').digest('hex')
export const WRITTEN = {
  evidence: 'written_authority',
  documentSha256: DOCUMENT,
  seenOn: SEEN_ON,
  reference: 'ZD-77-CANARY',
}

let people = 0
let addresses = 0

export async function startRepresentedCase(): Promise<RepresentedCase> {
  const known: OnFile[] = []
  const registers = await openRegisters({ crm: identities => knowing(...known)(identities) })
  const service = await startService({ env: { ADAPTER_ALLOWED_HOSTS: hostsOf(registers), TRUST_PROXY: '127.0.0.1' } })
  const as = callers(service)
  await registerAll(registers, as.agent(['operator']), service)
  const anybody: Call = (path, options) =>
    as.anybody(path, {
      ...options,
      headers: { ...options?.headers, 'x-forwarded-for': `2001:db8:${(++addresses).toString(16)}::1` },
    })
  const [agent, officer, dpo] = [
    as.agent(['agent'], 'agent-1'),
    as.agent(['privacy_officer'], 'officer-1'),
    as.agent(['dpo'], 'dpo-1'),
  ]
  const mailsTo = (email: string) => service.mailbox.messages().filter(({ envelope }) => envelope.to.includes(email))
  const codeTo = (email: string) => {
    const mail = mailsTo(email)
      .filter(({ text }) => /\b[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}\b/.test(text))
      .at(-1)
    if (!mail) throw new Error(`No code was sent to ${email}.`)
    return codeIn(mail)
  }
  const note: RepresentedCase['note'] = (at, seen = {}, by = agent) => by(`${at}/mandates`, { body: { ...WRITTEN, ...seen } })
  const approve: RepresentedCase['approve'] = (at, { body }, by = officer) =>
    by(`${at}/mandates/${body.id}/approval`, { method: 'POST' })
  return {
    service,
    as,
    anybody,
    agent,
    officer,
    dpo,
    newcomer() {
      people += 1
      const one = { userId: `u-rep-${people}`, email: `rep${people}@example.org` }
      known.push(one)
      return one
    },
    async ask(relationship, { email }, { requester = AGENT, ...more } = {}, by = anybody) {
      const { status, body } = await by('/v1/requests', {
        body: {
          type: 'access',
          subject: { identities: [{ type: 'email', value: email }] },
          requester: { relationship, ...(requester as object) },
          ...more,
        },
      })
      if (status !== 201) throw new Error(`It was not opened: ${JSON.stringify(body)}`)
      await settled(service)
      return `/v1/requests/${body.id}`
    },
    note,
    approve,
    async mandate(at, seen) {
      const approved = await approve(at, await note(at, seen))
      if (approved.status !== 200) throw new Error(`It was not approved: ${JSON.stringify(approved.body)}`)
      await settled(service)
    },
    async prove(at, method, code, more = {}) {
      const answer = await anybody(`${at}/proofs`, { body: { method, code, ...more } })
      await settled(service)
      return answer
    },
    codeTo,
    mailsTo,
    see: async (at, state) =>
      (
        await until(
          () => officer(at),
          ({ body }) => body.state === state,
        )
      ).body,
    facts: async at => (await officer(`${at}/timeline`)).body.entries,
    async download(email) {
      const letter = mailsTo(email)
        .filter(({ text }) => text.includes('/v1/downloads/'))
        .at(-1)
      if (!letter) throw new Error(`No link was sent to ${email}.`)
      const link = linkIn(letter)
      const before = mailsTo(email).length
      await anybody(link, { body: { step: 'send' } })
      await settled(service)
      if (mailsTo(email).length === before) throw new Error(`No code was sent to ${email}.`)
      const { status, body } = await anybody(link, { body: { step: 'open', code: codeTo(email) } })
      if (status !== 201) throw new Error(`It was not opened: ${JSON.stringify(body)}`)
      return (await anybody(new URL(body.contentUrl).pathname)).bytes
    },
    contentCalls: registers.contentCalls,
    async close() {
      await service.close()
      await registers.close()
    },
  }
}
