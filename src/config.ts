import { type Issuer, parseIssuers } from './auth/issuers.ts'
import {
  address,
  asIs,
  type CheckSubjects,
  checkSubjects,
  existingFile,
  flag,
  holidays,
  hostList,
  oneOf,
  optional,
  proxies,
  reader,
  timeZone,
  urlOf,
  wholeNumber,
} from './config-values.ts'
import type { HolidaysByPlace } from './domain/calendar.ts'
import type { CoolingOff } from './domain/cooling-off.ts'
import { isRemoteInClear } from './platform/database.ts'
import { decideUrl, egressPolicy, isOutOfReach } from './platform/egress-policy.ts'
import type { LogLevel } from './platform/log.ts'
import { exampleValues, loadPolicy } from './policy/load-policy.ts'
import type { Policy } from './policy/policy.ts'
import { parseReceivers, type Receiver } from './policy/receivers.ts'

const ROLES = ['all', 'api', 'worker', 'migrate'] as const
export type ProcessRole = (typeof ROLES)[number]

/** Everything the environment decides, checked and frozen. */
export interface Config {
  role: ProcessRole
  production: boolean
  /** Whether the clock can be moved. */
  testMode: boolean
  host: string
  port: number
  logLevel: LogLevel
  databaseUrl: string
  /** The role whose rights the service's sessions have; undefined where it logs in as that role anyway. */
  databaseRole: string | undefined
  databasePool: number
  smtpUrl: string
  mailFrom: { address: string; name: string }
  /** Without a slash at the end. */
  publicUrl: string
  blobStoreUrl: string
  issuers: Issuer[]
  vaultKeyFile: string
  allowOpenVaultFile: boolean
  adapterAllowedHosts: string[]
  fileHosts: string[]
  /** Without them no adapter passes its check that holds anything. */
  checkSubjects: CheckSubjects | undefined
  /** Where attachments are scanned; none switches them off. */
  attachmentScanner: string | undefined
  /** Controllers that a copy can be sent to directly; none switches that off. */
  receivers: Receiver[]
  policy: Policy
  /** Where the deadline alarms go, and what letters give as the contact. */
  privacyOfficer: string
  timeZone: string
  holidays: HolidaysByPlace
  packageDays: number
  coolingOff: CoolingOff
  linkUses: number
  /** How long a backup may bring data back: so long it stays known who was erased. */
  backupDays: number
  taskSlots: number
  jobConcurrency: number
  trustProxy: string[]
  perCallerQuota: number
  perAddressQuota: number
  guessBudget: number
  everyUseQuota: number
  /** How many different cases each of the staff may open in 24 hours. */
  viewingBudgets: { officers: number; others: number }
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/** Thrown with every mistake in the environment at once, one line each. */
export class BadEnvironment extends Error {
  constructor(mistakes: readonly string[]) {
    super(`The environment cannot be used:\n${mistakes.map(mistake => `  ${mistake}`).join('\n')}`)
    this.name = 'BadEnvironment'
  }
}

/** Where the demo listens, unless told otherwise on its command line. */
export const demoPort = (env: NodeJS.ProcessEnv = process.env): string => env.PORT || '8080'

/** Reads the configuration. @throws BadEnvironment with all mistakes, never with a value that could be a secret */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const mistakes: string[] = []
  const read = reader(env, mistakes)
  const production = env.NODE_ENV === 'production'
  const role = read('ROLE', oneOf(ROLES), 'all')
  const needs = role === 'migrate' ? '' : undefined
  const policy = read('POLICY_FILE', path => loadPolicy(path || undefined), '')
  const officer = env.PRIVACY_OFFICER ?? policy?.controller.contacts.privacyOfficer // missing where the policy could not be read
  const allowedHosts = read('ADAPTER_ALLOWED_HOSTS', hostList, '') ?? []
  const config: Config = {
    role: role ?? 'all',
    production,
    testMode: read('TEST_MODE', flag, 'false') ?? false,
    host: read('HOST', asIs, '127.0.0.1') ?? '',
    port: read('PORT', wholeNumber(0, 65_535), '8080') ?? 0,
    logLevel: read('LOG_LEVEL', oneOf(LEVELS), 'info') ?? 'info',
    databaseUrl: read('DATABASE_URL', urlOf('postgres:', 'postgresql:')) ?? '',
    databaseRole: read('DATABASE_ROLE', asIs, 'dsar_app') || undefined,
    databasePool: read('DATABASE_POOL', wholeNumber(2, 200), '20') ?? 20,
    smtpUrl: read('SMTP_URL', optional(needs, urlOf('smtp:', 'smtps:')), needs) ?? '',
    mailFrom: readSender(read, needs),
    publicUrl: (read('PUBLIC_URL', optional(needs, urlOf('http:', 'https:')), needs) ?? '').replace(/\/+$/, ''),
    blobStoreUrl: read('BLOB_STORE_URL', optional(needs, urlOf('file:')), needs) ?? '',
    issuers: read('AUTH_ISSUERS', optional(needs, parseIssuers), needs) || [],
    vaultKeyFile: read('VAULT_KEY_FILE', optional(needs, existingFile), needs) ?? '',
    allowOpenVaultFile: read('VAULT_KEY_FILE_SHARED', flag, 'false') ?? false,
    adapterAllowedHosts: allowedHosts,
    fileHosts: read('FILE_HOSTS', hostList, '') ?? [],
    checkSubjects: read('CHECK_SUBJECTS', checkSubjects, ''),
    attachmentScanner: read('ATTACHMENT_SCANNER', url => scannerAt(url, allowedHosts), ''),
    receivers: read('RECEIVERS', json => parseReceivers(json, allowedHosts), '[]') ?? [],
    policy: policy as Policy, // where it could not be read, there is a mistake, and nobody gets this
    privacyOfficer: officer ? (read('PRIVACY_OFFICER', address, officer) ?? '') : '',
    timeZone: read('TIME_ZONE', timeZone, 'Asia/Colombo') ?? 'UTC',
    holidays: read('HOLIDAYS_FILE', holidays, '') ?? {},
    packageDays: read('PACKAGE_DAYS', wholeNumber(1, 90), '14') ?? 14,
    coolingOff: {
      erasureHours: read('ERASURE_COOLING_HOURS', wholeNumber(1, 240), '72') ?? 72,
      contestHours: read('CONTEST_HOURS', wholeNumber(24, 480), '336') ?? 336,
      liftingHours: read('LIFT_NOTICE_HOURS', wholeNumber(1, 480), '168') ?? 168,
    },
    backupDays: read('BACKUP_DAYS', wholeNumber(1, 3650), '35') ?? 35,
    linkUses: read('LINK_USES', wholeNumber(1, 50), '5') ?? 5,
    taskSlots: read('TASK_SLOTS', wholeNumber(1, 500), '32') ?? 32,
    jobConcurrency: read('JOB_CONCURRENCY', wholeNumber(1, 50), '4') ?? 4,
    trustProxy: read('TRUST_PROXY', proxies, '') ?? [],
    perCallerQuota: read('RATE_PER_CALLER', wholeNumber(1, 1_000_000), '600') ?? 600,
    perAddressQuota: read('RATE_PER_ADDRESS', wholeNumber(1, 1_000_000), '120') ?? 120,
    guessBudget: read('GUESS_BUDGET', wholeNumber(1, 1_000_000), '100') ?? 100,
    viewingBudgets: {
      officers: read('VIEWING_BUDGET_OFFICERS', wholeNumber(1, 100_000), '1000') ?? 1000,
      others: read('VIEWING_BUDGET', wholeNumber(1, 100_000), '200') ?? 200,
    },
    everyUseQuota: read('RATE_EVERY_USE', wholeNumber(1, 100_000_000), '600000') ?? 600_000,
  }
  if (production) mistakes.push(...unsafe(config))
  if (config.testMode) mistakes.push(...realInTestMode(config))
  if (mistakes.length > 0) throw new BadEnvironment(mistakes)
  return Object.freeze(config)
}

/** What it takes to check the record, away from the running service. @throws BadEnvironment */
export function readAuditConfig(
  env: NodeJS.ProcessEnv = process.env,
): Pick<Config, 'databaseUrl' | 'databaseRole' | 'vaultKeyFile'> {
  const mistakes: string[] = []
  const read = reader(env, mistakes)
  const config = {
    databaseUrl: read('DATABASE_URL', urlOf('postgres:', 'postgresql:')) ?? '',
    databaseRole: read('DATABASE_ROLE', asIs, 'dsar_app') || undefined,
    vaultKeyFile: read('VAULT_KEY_FILE', existingFile) ?? '',
  }
  if (mistakes.length > 0) throw new BadEnvironment(mistakes)
  return config
}

const readSender = (read: ReturnType<typeof reader>, needs: string | undefined) => ({
  address: read('MAIL_FROM', optional(needs, address), needs) ?? '',
  name: read('MAIL_FROM_NAME', asIs, 'Privacy team') ?? '',
})

/** @throws Error where it may not be called, so that it shows at the start and not when somebody sends a file */
function scannerAt(url: string, allowedHosts: readonly string[]): string | undefined {
  const verdict = decideUrl(url, egressPolicy(allowedHosts))
  if (url && !verdict.allowed) throw new Error(`may not be called: ${verdict.why}`)
  return url || undefined
}

/** What works on a desk and would be a hole in production. */
function unsafe({ role, publicUrl, smtpUrl, issuers, policy, databaseUrl, databaseRole, trustProxy }: Config): string[] {
  if (role === 'migrate') return []
  return [
    ...(publicUrl.startsWith('http:') ? ['PUBLIC_URL has to be https: links in letters open personal data'] : []),
    ...(URL.parse(smtpUrl)?.searchParams.get('requireTLS') === 'false' ? ['SMTP_URL must not give up TLS'] : []),
    ...issuers
      .filter(({ jwksUrl }) => jwksUrl?.startsWith('http:'))
      .map(({ issuer }) => `AUTH_ISSUERS: the keys of ${issuer} have to come by https`),
    ...(databaseRole === undefined && URL.parse(databaseUrl)?.username === 'postgres'
      ? ['DATABASE_URL must not be the superuser without DATABASE_ROLE']
      : []),
    ...(isRemoteInClear(databaseUrl)
      ? ['DATABASE_URL has to ask for TLS (sslmode=verify-full) unless the database is on this machine']
      : []),
    ...(trustProxy.some(range => range.endsWith('/0'))
      ? ['TRUST_PROXY must not be everybody: whoever calls could choose the address that is counted']
      : []),
    ...exampleValues(policy?.controller.contacts, '/controller/contacts').map(
      pointer => `POLICY_FILE: ${pointer} is still an example`,
    ),
  ]
}

/** What would let the clock of people's deadlines be moved. */
function realInTestMode({ production, publicUrl }: Config): string[] {
  const host = URL.parse(publicUrl)?.hostname
  return [
    ...(production ? ['TEST_MODE is never for production: the clock of every deadline could be moved'] : []),
    ...(host && !isOutOfReach(host)
      ? ['TEST_MODE takes a PUBLIC_URL out of the reach of the public: a loopback or private one']
      : []),
  ]
}
