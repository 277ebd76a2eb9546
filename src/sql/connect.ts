import type pg from 'pg'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Contact } from '../adapters/fetch-manifest.ts'
import type { Fault } from '../domain/problem.ts'
import type { AddressOf } from '../platform/address-of.ts'
import { endingInSilence } from '../platform/database.ts'
import { type Session, withSession } from './session.ts'

export interface ConnectDeps {
  addressOf: AddressOf
}

/** Who logs in: one that can only read, or one that changes. */
export type Login = 'reader' | 'eraser'

/** `settings` of an adapter of this kind; `description` is read elsewhere. */
const Settings = Compile(
  Type.Object(
    { description: Type.Unknown(), ca: Type.Optional(Type.String({ maxLength: 20_000 })) },
    { additionalProperties: false },
  ),
)

const PORT = 5432
const SCHEME = /^postgres(?:ql)?:$/
/** `name:password`, as of HTTP's basic authentication. */
const LOGIN = /^([^:]+):(.+)$/s

/** What is wrong with how a database is to be reached. */
export function contactFaults({ baseUrl, credentials, settings }: Contact): Fault[] {
  const url = URL.parse(baseUrl)
  const faults: Fault[] = []
  const add = (pointer: string, detail: string) => faults.push({ pointer, detail })
  if (!url || !SCHEME.test(url.protocol) || !url.hostname || url.pathname.length < 2)
    add('/baseUrl', 'is postgresql://host:port/database')
  if (url && (url.username || url.password)) add('/baseUrl', 'holds no credentials: those are in `credentials`')
  if (url && [...url.searchParams].some(([name, value]) => name !== 'sslmode' || !['verify-full', 'disable'].includes(value)))
    add('/baseUrl', 'may say `sslmode`, `verify-full` or `disable`, and nothing else')
  if (!LOGIN.test(credentials.reader ?? '')) add('/credentials/reader', 'is `name:password` of a role that can only read')
  if (credentials.eraser !== undefined && !LOGIN.test(credentials.eraser)) add('/credentials/eraser', 'is `name:password`')
  for (const name of Object.keys(credentials))
    if (name !== 'reader' && name !== 'eraser') add(`/credentials/${name}`, 'is not known to this kind')
  if (!Settings.Check(settings)) add('/settings', 'holds a `description`, perhaps a `ca`, and nothing else')
  return faults
}

/** The name of the role that logs in; undefined where there is none. */
export const roleOf = ({ credentials }: Pick<Contact, 'credentials'>, login: Login): string | undefined =>
  LOGIN.exec(credentials[login] ?? '')?.[1]

/**
 * Has a connection to an adapter's database used. It goes to the address that was judged, and is encrypted and the server's name
 * verified, unless the operator's list names the host and the address says `sslmode=disable`.
 * @throws OutboundError; DatabaseError
 */
export async function withDatabase<T>(
  { addressOf }: ConnectDeps,
  contact: Contact,
  login: Login,
  work: (session: Session) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const url = new URL(contact.baseUrl)
  // The parser canonicalises hosts only of schemes it knows.
  const host = new URL(`https://${url.host}`).hostname
  const { address, listed } = await addressOf(host, Number(url.port || PORT), PORT)
  const [, user = '', password = ''] = LOGIN.exec(contact.credentials[login] ?? '') ?? []
  const inClear = listed && url.searchParams.get('sslmode') === 'disable'
  const config: pg.ClientConfig = {
    host: address,
    port: Number(url.port || PORT),
    database: decodeURIComponent(url.pathname.slice(1)),
    user,
    password,
    ssl: inClear ? false : tlsFor(host, contact.settings.ca),
    stream: endingInSilence(60),
  }
  return withSession(config, work, signal)
}

const tlsFor = (host: string, ca: unknown) => ({
  rejectUnauthorized: true,
  minVersion: 'TLSv1.2' as const,
  ...(!host.startsWith('[') && { servername: host }),
  ...(typeof ca === 'string' && { ca }),
})
