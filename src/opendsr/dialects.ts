import type { Profile } from './profile.ts'

type IdentityTypes = Profile['identityTypes']

const asIs = (types: readonly string[]): IdentityTypes =>
  Object.fromEntries(types.map(type => [type, { type, format: 'raw' as const }]))

/** Called the same by everybody. */
const OF_DEVICES = ['android_advertising_id', 'fire_advertising_id', 'ios_advertising_id', 'microsoft_advertising_id']

/** OpenDSR 2.0 as it is written, and where it leaves something open, as most have it. */
const STANDARD: Profile = {
  requestsPath: 'requests',
  discoveryPath: 'discovery',
  trailingSlash: false,
  headerPrefix: 'X-OpenDSR',
  identityShape: 'array',
  identitiesPerRequest: 'all',
  identityTypes: {
    user_id: { type: 'controller_customer_id', format: 'raw' },
    email: { type: 'email', format: 'raw' },
    ...asIs([...OF_DEVICES, 'android_id', 'ios_vendor_id', 'microsoft_publisher_id', 'roku_publisher_id', 'roku_advertising_id']),
  },
  apiVersion: '2.0',
  sendRegulation: true,
  extraBody: {},
  statuses: {},
  signature: 'rsa-pkcs1v15-sha256',
  callback: true,
  pollEvery: 'PT1H',
  resultsAuth: 'same',
  resultsHosts: [],
  errorEnvelope: 'either',
  errors: {
    duplicate: { statuses: [409], says: ['already exists'] },
    notFound: { statuses: [404] },
    later: {},
  },
  notFoundIsNoData: false,
  auth: { scheme: 'bearer' },
  limits: { concurrency: 4, perMinute: 300 },
}

/** The dialects that are known; what else a processor does differently is said in its `overrides`. */
export const DIALECTS = {
  '2.0': STANDARD,

  '1.0': {
    ...STANDARD,
    requestsPath: 'opengdpr_requests',
    headerPrefix: 'X-OpenGDPR',
    apiVersion: '1.0',
    sendRegulation: false,
  },

  /** https://opendsr.mparticle.com/v3 */
  'mparticle-v3': {
    ...STANDARD,
    trailingSlash: true,
    identityShape: 'map',
    identitiesPerRequest: 'one_of_each_type',
    apiVersion: '3.0',
    processorDomain: 'opendsr.mparticle.com',
    errorEnvelope: 'bare',
    notFoundIsNoData: true,
    auth: { scheme: 'basic' },
    limits: { concurrency: 4, perMinute: 1000 },
  },

  /** https://hq1.appsflyer.com/api/gdpr/v1, and `property_id` in `extraBody`. For rehearsals: `requestsPath: stub` and its likes. */
  appsflyer: {
    ...STANDARD,
    requestsPath: 'opendsr_requests',
    resultsPath: 'download/{id}',
    headerPrefix: 'either',
    identityTypes: { user_id: { type: 'customer_user_id', format: 'raw' }, ...asIs([...OF_DEVICES, 'appsflyer_id', 'idfv']) },
    apiVersion: '0.1',
    sendRegulation: false,
    statuses: { 'in-progress': 'in_progress', canceled: 'cancelled' },
    errors: {
      duplicate: { codes: ['e213', 'e215'] },
      notFound: { statuses: [404], codes: ['e214'] },
      later: { codes: ['e511'] },
    },
    limits: { concurrency: 4, perMinute: 350 },
  },

  /** https://gdpr.singular.net/api/gdpr. It has no certificate, so nobody could believe its call backs. */
  singular: {
    ...STANDARD,
    identityTypes: { user_id: { type: 'user_id', format: 'raw' }, ...asIs(OF_DEVICES) },
    apiVersion: '0.1.4',
    signature: 'none',
    callback: false,
    auth: { scheme: 'header', header: 'authorization' },
  },

  /** https://opendsr.pushly.com/v2/domains/{domain} */
  pushly: {
    ...STANDARD,
    requestsPath: 'subject_requests',
    identitiesPerRequest: 'one',
  },
} as const satisfies Record<string, Profile>
export type Dialect = keyof typeof DIALECTS
export const DIALECT_NAMES = Object.keys(DIALECTS) as Dialect[]
