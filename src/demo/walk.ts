import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { apiClient } from './client.ts'
import { type House, tokenFor } from './house.ts'
import { type Person, seedPerson } from './lms/seed-person.ts'
import type { Mail } from './mailbox.ts'

interface RequestSeen {
  id: string
  state: string
  dueOn: string
  legalDueOn: string
  flags: string[]
  completeness: {
    complete: boolean
    adaptersAsked: number
    adaptersAnswered: number
    withheld?: { adapter: string; dataset: string; field?: string; records: number }[]
  } | null
}

interface TaskSeen {
  adapter: string
  action: string
  state: string
  datasets: { name: string; count: number }[]
  problem: { code: string } | null
}

const CODE = /\b[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}\b/
const PATIENCE_MS = 120_000

/** Puts every adapter of the learning platform into the register. */
export async function registerAdapters({ url, issuer, lms }: House): Promise<void> {
  const operator = apiClient(url, tokenFor(issuer, 'support_agent', { sub: 'operator-1', roles: ['operator'] }))
  for (const { name, url: baseUrl, secret } of lms.adapters)
    await operator('POST', '/v1/adapters', { baseUrl, secret, title: TITLES[name] ?? name })
}

const TITLES: Record<string, string> = {
  accounts: 'Accounts',
  billing: 'Billing',
  learning: 'Learning',
  analytics: 'Analytics',
  support: 'Support desk',
}

/** Walks one access request from intake to the saved package, each step through the API and the mailbox. @returns the path of the package */
export async function walk(house: House, person: Person, tell: (line: string) => void, saveTo: string): Promise<string> {
  const { url, issuer } = house
  const anybody = apiClient(url)
  const agent = apiClient(url, tokenFor(issuer, 'support_agent', { sub: 'agent-7', roles: ['agent'] }))
  await seedPerson(house.lmsUrl, person)

  const opened = await agent<RequestSeen>('POST', '/v1/requests', {
    type: 'access',
    subject: { identities: [{ type: 'email', value: person.email }], name: person.name, country: person.country, locale: 'en' },
    channel: 'support_ticket',
    reference: 'ZD-5531',
  })
  const at = `/v1/requests/${opened.id}`
  tell(`a support agent took in request ${opened.id}: promised by ${opened.dueOn}, legally due ${opened.legalDueOn}`)

  const codeMail = await mailTo(house, person.email, mail => CODE.test(mail.text))
  tell(`a code was mailed to the address on file (mail ${codeMail.number}: “${codeMail.subject}”)`)
  await anybody('POST', `${at}/proofs`, { method: 'email_code', code: codeOf(codeMail) })
  tell('the person typed the code: identity proven, the adapters are asked')

  const done = await followTasks(agent, at, tell)
  tell(
    `sealed and handed over: ${done.completeness?.adaptersAnswered} of ${done.completeness?.adaptersAsked} adapters answered, complete: ${done.completeness?.complete}`,
  )
  for (const { adapter, dataset, field, records } of done.completeness?.withheld ?? [])
    tell(`left out for the sake of others: ${[adapter, dataset, field].join('.')} in ${records} records`)

  const ready = await mailTo(house, person.email, mail => mail.text.includes('/v1/downloads/'))
  tell(`the link was mailed (mail ${ready.number}: “${ready.subject}”)`)
  const link = /\/v1\/downloads\/[A-Za-z0-9_-]{43}/.exec(ready.text)?.[0] ?? ''
  await anybody('POST', link, { step: 'send' })
  const secondMail = await mailTo(house, person.email, mail => mail.number > ready.number && CODE.test(mail.text))
  const granted = await anybody<{ contentUrl: string; bytes: number; sha256: string }>('POST', link, { code: codeOf(secondMail) })
  tell(`opened with a fresh code (mail ${secondMail.number}); downloading ${granted.bytes} bytes`)

  const zip = Buffer.from(await (await fetch(granted.contentUrl)).arrayBuffer())
  if (createHash('sha256').update(zip).digest('hex') !== granted.sha256)
    throw new Error('What was downloaded is not what was sealed.')
  mkdirSync(saveTo, { recursive: true })
  const path = resolve(join(saveTo, `dsar-${opened.id}.zip`))
  writeFileSync(path, zip)
  tell(`saved, and its SHA-256 is the announced one: ${granted.sha256}`)
  return path
}

const codeOf = ({ text }: Mail): string => CODE.exec(text)?.[0] ?? ''

const mailTo = ({ mailbox }: House, address: string, fits: (mail: Mail) => boolean): Promise<Mail> =>
  mailbox.waitFor(mail => mail.envelope.to.includes(address) && fits(mail), 30_000)

/** Tells of each adapter as it answers, until the request is completed. @throws when it needs a person instead, or takes too long */
async function followTasks(agent: ReturnType<typeof apiClient>, at: string, tell: (line: string) => void): Promise<RequestSeen> {
  const told = new Set<string>()
  const end = performance.now() + PATIENCE_MS
  while (performance.now() < end) {
    const request = await agent<RequestSeen>('GET', at)
    const { tasks } = await agent<{ tasks: TaskSeen[] }>('GET', `${at}/tasks`)
    for (const { adapter, action, state, datasets, problem } of tasks) {
      if (problem && !told.has(adapter + problem.code)) tell(`${adapter} had trouble with ${action}: ${problem.code}`)
      if (problem) told.add(adapter + problem.code)
      if (action !== 'collect' || state !== 'done' || told.has(adapter)) continue
      told.add(adapter)
      tell(`${adapter} answered: ${datasets.map(({ name, count }) => `${count} ${name}`).join(', ')}`)
    }
    if (request.state === 'completed') return request
    if (request.flags.length > 0) throw new Error(`The request needs a person: ${request.flags.join(', ')}.`)
    await new Promise(next => setTimeout(next, 100))
  }
  throw new Error('The request was not completed in two minutes.')
}
