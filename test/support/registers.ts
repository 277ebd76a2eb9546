import { randomBytes } from 'node:crypto'
import { createAdapter } from '../../src/adapter-kit/adapter.ts'
import type { Identity, Resolved } from '../../src/adapter-kit/protocol.ts'
import type { Service } from './service.ts'
import type { House } from './small-house.ts'

/** What a service that knows people says when asked who somebody is. */
export type WhoIs = (identities: readonly Identity[]) => Resolved | undefined | Promise<Resolved | undefined>

export interface Registers extends Omit<House, 'done'> {
  /** How often each was asked for content or a count of it: not to happen before somebody is known. */
  contentCalls(): number
  resolveCalls(): number
}

/** Services that know people, one for each function, each with one record about everybody whom it is asked about. */
export async function openRegisters(whoIs: Record<string, WhoIs>, identityTypes = ['user_id', 'email']): Promise<Registers> {
  const calls = { content: 0, resolve: 0 }
  const adapters = await Promise.all(
    Object.entries(whoIs).map(async ([name, ask]) => {
      const secret = `whsec_${randomBytes(24).toString('base64')}`
      const adapter = createAdapter({
        name,
        secrets: secret,
        identityTypes: identityTypes.map(type => ({ type })),
        datasets: {
          account: {
            title: 'Account',
            category: 'account',
            origin: 'provided',
            purposes: ['provide_service'],
            legalBases: ['contract'],
            retention: 'account_data',
            recipients: [],
            fields: [{ name: 'asked', type: 'string', title: 'Asked' }],
            count: () => 1,
            records: ({ matched }) => [{ asked: matched.map(({ value }) => value).join(' ') }],
          },
        },
        find: matched => {
          calls.content += 1
          return { matched }
        },
        resolve: identities => {
          calls.resolve += 1
          return ask(identities)
        },
      })
      return { name, secret, adapter, url: (await adapter.listen(0)).url }
    }),
  )
  return {
    adapters,
    contentCalls: () => calls.content,
    resolveCalls: () => calls.resolve,
    close: async () => void (await Promise.all(adapters.map(({ adapter }) => adapter.close()))),
  }
}

export interface OnFile {
  userId: string
  email: string
  since?: string
}

const SINCE = '2020-01-01T00:00:00Z'

/** Whom a register knows: each found by either identity, an address that is somebody's own and confirmed. */
export const knowing =
  (...people: OnFile[]): WhoIs =>
  identities => {
    const holds = ({ userId, email }: OnFile, { type, value }: Identity) => value === (type === 'email' ? email : userId)
    const person = people.find(one => identities.some(identity => holds(one, identity)))
    return (
      person &&
      matchOf(
        person,
        identities.filter(identity => holds(person, identity)),
      )
    )
  }

export const matchOf = ({ userId, email, since = SINCE }: OnFile, matched: readonly Identity[]): Resolved => ({
  matched,
  identities: [
    { type: 'user_id', value: userId },
    { type: 'email', value: email },
  ],
  contactPoints: [{ type: 'email', value: email, since, verified: true }],
  status: 'match',
})

/** Waits until nothing is left to do: no job that may run, no task that could. @throws after ten seconds */
export async function settled(service: Service): Promise<void> {
  const end = Date.now() + 10_000
  for (let quiet = 0; quiet < 2; ) {
    const [row] = await service.sql<{ left: number }>(`
      SELECT (SELECT count(*) FROM pgboss.job WHERE state IN ('created', 'retry', 'active') AND start_after <= now())::int
           + (SELECT count(*) FROM task WHERE state = 'running' OR (state = 'ready' AND run_at <= now()))::int AS left`)
    quiet = row?.left === 0 ? quiet + 1 : 0
    if (Date.now() > end) throw new Error(`${row?.left} things are still to be done.`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
