import { createContactOf } from './adapters/adapters.store.ts'
import type { CallLimits } from './adapters/call-limits.ts'
import { type Connector, type Connectors, serviceConnector } from './adapters/kinds.ts'
import { createRecorder } from './audit/record.ts'
import { type GuessingDeps, noteWrongCode } from './auth/guessing.ts'
import { underPseudonym } from './auth/pseudonym.ts'
import { rememberServices } from './auth/remember-services.ts'
import { createVerifier } from './auth/verify-token.ts'
import type { Config } from './config.ts'
import { writeAnnouncement } from './delivery/announcements.ts'
import { writeForwarding } from './delivery/write-forwarding.ts'
import { writeForwardingAlarm } from './delivery/write-forwarding-alarm.ts'
import { tellOfLateness } from './delivery/write-lateness.ts'
import {
  type LetterDeps,
  tellErasureUndone,
  tellOfficer,
  tellOfficerOfMessage,
  tellOfficerOfRepudiation,
  tellOfficerOfViews,
  tellOfGuessing,
  thankReporter,
  writeLetterToSubject,
  writeToEveryContact,
  writeToOwn,
} from './delivery/write-letters.ts'
import { tellOwner } from './delivery/write-task-for-you.ts'
import { tellOfRefusedMandate, tellOfRepresentative, writeCodeLetter } from './delivery/write-to-represented.ts'
import { handedConnector } from './handed/handed-connector.ts'
import { opendsrConnector } from './opendsr/opendsr-connector.ts'
import { checkPolicy } from './operations/check-policy.ts'
import { type Counts, countWork } from './operations/count-work.ts'
import { measureAdapters } from './operations/measure-adapters.ts'
import { probeVault } from './operations/probe-vault.ts'
import { JOB_NAMES, type Jobs } from './pipeline.ts'
import { createAddressOf } from './platform/address-of.ts'
import type { Clock } from './platform/clock.ts'
import { openDatabase, type Transact, type Tx } from './platform/database.ts'
import type { Log } from './platform/log.ts'
import { createMailer } from './platform/mailer.ts'
import { createMetrics } from './platform/metrics.ts'
import { openBlobStore } from './platform/open-blob-store.ts'
import { createOutbound, type Outbound } from './platform/outbound.ts'
import { openQueue } from './platform/queue.ts'
import { postgresRateLimits } from './platform/rate-limit.ts'
import { isForTests, openTestClock, type TestClock, WrongDatabase } from './platform/test-clock.ts'
import { openVaultFile, type Vault } from './platform/vault.ts'
import { createDataKeyOf, newDataKeyFor } from './requests/data-key.ts'
import { heldBy } from './requests/held.ts'
import { createIdentitiesOf } from './requests/identities.store.ts'
import { RequestTable } from './requests/requests.table.ts'
import { sqlConnector } from './sql/sql-connector.ts'
import { isResolvedLately } from './verification/resolution.ts'
import { tellSubscribers } from './webhooks/tell-subscribers.ts'

/** What a service takes from outside besides its configuration; tests bring their own. */
export interface Given {
  clock: Clock
  log: Log
  /** At least 0 and less than 1: the jitter of what is tried again. */
  random(): number
  /** What one call to an adapter may cost. */
  callLimits: CallLimits
}

/** Everything that is constructed once. */
export type Deps = Awaited<ReturnType<typeof openDeps>>

/** Constructs everything, top to bottom, by hand. */
export async function openDeps(config: Config, { clock: ofMachine, log, random, callLimits }: Given) {
  const onError = (error: unknown) => log.error({ err: error }, 'something failed in the background')
  const { vault } = openVaultFile(config.vaultKeyFile, { allowOpenToOthers: config.allowOpenVaultFile })
  const { database, queue, clock, testClock } = await openStores(config, vault, ofMachine, onError)
  const metrics = createMetrics({ ofProcess: true })
  const rateLimits = postgresRateLimits(database.read)
  const counts = countWork(metrics, database.read)
  measureAdapters(metrics, { read: database.read, clock })
  const blobs = openBlobStore(config.blobStoreUrl)
  const keyOf = createDataKeyOf({ vault }, database.read)
  const outbound = createOutbound({ allowedHosts: config.adapterAllowedHosts, fileHosts: config.fileHosts })
  const record = createRecorder({ clock, sign: bytes => vault.sign(bytes), onRecorded: tellSubscribers() })
  const letters = {
    vault,
    clock,
    enqueue: queue.enqueue,
    officer: config.privacyOfficer,
    publicUrl: config.publicUrl,
  }
  return {
    ...config,
    ...letters,
    ...database,
    database,
    queue,
    testClock,
    log,
    record,
    policyVersion: config.policy.version,
    metrics,
    counts,
    onError,
    blobs,
    mailer: createMailer({ url: config.smtpUrl, from: config.mailFrom }),
    outbound,
    connectors: connectorsOf(config, outbound, clock, handedConnector({ read: database.read, blobs, clock, outbound, keyOf })),
    contactOf: createContactOf({ vault }, database.read),
    identitiesOf: createIdentitiesOf({ vault }, database.read),
    verifier: rememberServices(underPseudonym(createVerifier({ issuers: config.issuers, clock }), vault), clock),
    rateLimits,
    ready: async () => ({ checks: { database: await answers(database.read.query('SELECT 1 FROM dsar_request LIMIT 1')) } }),
    random,
    callLimits,
    publicKeys: () => vault.publicKeys(),
    checkSignature: (keyId: string, bytes: Buffer, signature: Buffer) =>
      vault.verify(bytes, { keyId, algorithm: 'Ed25519', signature }),
    newDataKey: (requestId: string) => newDataKeyFor({ vault }, requestId),
    keyOf,
    ...writersOf(letters),
    isResolvedLately: bind(isResolvedLately, { clock, enqueue: queue.enqueue }),
    heldBy: (tx: Tx, requestId: string) => heldBy({ vault, clock }, tx, requestId),
    onAlarm: counts.alarm,
    onAnswer: counts.answer,
    onLetter: counts.letter,
    onDelivery: counts.delivery,
    onCodeRefused: () => countWrongCode({ ...letters, ...database, ...config, counts, rateLimits }),
    onBudgetSpent: counts.budgetSpent,
  }
}

/** How adapters of each kind are asked. */
const connectorsOf = (
  { adapterAllowedHosts, timeZone }: Config,
  outbound: Outbound,
  clock: Clock,
  handed: Connector,
): Connectors => ({
  service: serviceConnector({ outbound, clock }),
  pull: handed,
  manual: handed,
  sql: sqlConnector({ addressOf: createAddressOf({ allowedHosts: adapterAllowedHosts }), clock, timeZone }),
  opendsr: opendsrConnector({ outbound, clock }),
})

/** Everybody who writes letters, with what they write them with. */
const writersOf = (letters: LetterDeps) => ({
  writeCodeLetter: bind(writeCodeLetter, letters),
  writeLetterToSubject: bind(writeLetterToSubject, letters),
  writeToEveryContact: bind(writeToEveryContact, letters),
  writeToOwn: bind(writeToOwn, letters),
  tellOfRepresentative: bind(tellOfRepresentative, letters),
  tellOfRefusedMandate: bind(tellOfRefusedMandate, letters),
  tellOfficer: bind(tellOfficer, letters),
  tellOfLateness: bind(tellOfLateness, letters),
  tellOwner: bind(tellOwner, letters),
  tellErasureUndone: bind(tellErasureUndone, letters),
  tellOfficerOfMessage: bind(tellOfficerOfMessage, letters),
  tellOfficerOfRepudiation: bind(tellOfficerOfRepudiation, letters),
  thankReporter: bind(thankReporter, letters),
  writeAnnouncement: bind(writeAnnouncement, letters),
  writeForwarding: bind(writeForwarding, letters),
  writeForwardingAlarm: bind(writeForwardingAlarm, letters),
  tellOfficerOfViews: bind(tellOfficerOfViews, letters),
})

type WrongCodeDeps = GuessingDeps & Parameters<typeof tellOfGuessing>[0] & { counts: Counts; transact: Transact }

async function countWrongCode(deps: WrongCodeDeps): Promise<void> {
  deps.counts.codeRefused()
  if (!(await noteWrongCode(deps))) return
  deps.counts.guessedAt()
  await deps.transact(tx => tellOfGuessing(deps, tx))
}

/** The database, which has to fit this version, its keys and the policy, and the queue in it. */
async function openStores(config: Config, vault: Vault, ofMachine: Clock, onError: (error: unknown) => void) {
  const { databaseUrl: url, databaseRole, databasePool: poolSize } = config
  const role = databaseRole ? { role: databaseRole } : {}
  const database = await openDatabase({ url, ...role, tables: [RequestTable], poolSize, onError })
  let testClock: TestClock | undefined
  try {
    await probeVault(database.read, vault)
    testClock = await testClockOf(config, database.read, ofMachine)
    const clock = testClock ?? ofMachine
    await checkPolicy({ policy: config.policy, clock }, database.read)
    return { database, clock, testClock, queue: await openQueue<Jobs>({ url, ...role, names: JOB_NAMES, onError }) }
  } catch (error) {
    await testClock?.close()
    await database.close()
    throw error
  }
}

/** @throws WrongDatabase where test mode meets a database of real people, or a database for tests is used without it */
async function testClockOf({ testMode }: Config, read: Tx, ofMachine: Clock): Promise<TestClock | undefined> {
  if (testMode) return openTestClock(read, ofMachine)
  if (await isForTests(read))
    throw new WrongDatabase('DATABASE_URL names a database that was used with TEST_MODE: its days are not real.')
  return undefined
}

const bind =
  <D, A extends unknown[], R>(use: (deps: D, ...rest: A) => R, deps: D) =>
  (...rest: A): R =>
    use(deps, ...rest)

const answers = (asked: Promise<unknown>): Promise<boolean> =>
  asked.then(
    () => true,
    () => false,
  )
