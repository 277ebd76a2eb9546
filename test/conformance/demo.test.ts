import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type CallbackPost, openCallbackPost } from '../../src/conformance/callback-post.ts'
import { checkAdapter } from '../../src/conformance/check-adapter.ts'
import { type Lms, startLms } from '../../src/demo/lms/lms.ts'
import { seedPeople } from '../../src/demo/lms/seed-person.ts'
import { createOutbound, type Outbound } from '../../src/platform/outbound.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'

const person = (id: string) => ({ userId: `u-${id}`, email: `${id}@campus.example` })
const identitiesOf = ({ userId, email }: { userId: string; email: string }) => [
  { type: 'user_id', value: userId },
  { type: 'email', value: email },
]
const [KAMAL, GRACE] = [person('kamal'), person('grace')]

let database: TestDatabase
let lms: Lms
let outbound: Outbound
let callbacks: CallbackPost

beforeAll(async () => {
  database = await createDatabase()
  lms = await startLms({ databaseUrl: database.url })
  await seedPeople(
    database.url,
    [KAMAL, GRACE].map((one, i) => ({ ...one, name: 'Kamal Perera', country: 'DE', profile: 'light', seed: 11 + i })),
  )
  outbound = createOutbound({ allowedHosts: lms.adapters.map(({ url }) => new URL(url).host) })
  callbacks = await openCallbackPost()
})
afterAll(async () => {
  await callbacks.close()
  await outbound.close()
  await lms.close()
  await database.drop()
})

test.each(['billing', 'learning', 'analytics', 'support', 'accounts'])('the demo’s adapter %s passes', async name => {
  const { url, secret } = lms.adapters.find(adapter => adapter.name === name) ?? { url: '', secret: '' }
  const report = await checkAdapter(
    { outbound, clock: { now: () => new Date() }, callbacks },
    { kind: 'service', baseUrl: url, secrets: [secret], credentials: {}, settings: {} },
    { subjects: { known: identitiesOf(KAMAL), other: identitiesOf(GRACE) }, destructive: true },
  )
  const wrong = report.checks.filter(({ outcome }) => outcome === 'failed' || outcome === 'skipped')
  expect([report.adapter, report.passed, wrong]).toEqual([name, true, []])
})
