import { type Adapter, createAdapter } from '../../adapter-kit/adapter.ts'
import type { Service } from './service.ts'
import { findByUserId, fromTable, type Known } from './table.ts'

const TABLES = ['lms_analytics.devices', 'lms_analytics.sessions', 'lms_analytics.risk_scores', 'lms_analytics.log_events']

const OBSERVED = { key: 'user_id', origin: 'observed', retention: 'usage_data', recipients: ['Mixpanel'] } as const
const USAGE = {
  ...OBSERVED,
  category: 'usage',
  purposes: ['analytics', 'security'],
  legalBases: ['legitimate_interest'],
} as const

const LOG_FIELDS = {
  event: 'string',
  component: 'string',
  action: 'string',
  target: 'string',
  crud: 'string',
  objectid: 'number',
  courseid: 'number',
  contextid: 'number',
  contextlevel: 'number',
  anonymous: 'boolean',
  relateduserid: 'string',
  origin: 'string',
  ip: 'string',
  other: 'object',
  timecreated: 'datetime',
} as const

export function analytics({ db, secret, onError }: Service): Adapter {
  return createAdapter<Known>({
    name: 'analytics',
    secrets: secret,
    identityTypes: [{ type: 'user_id' }],
    limits: { concurrency: 2 },
    expectedDuration: 'PT30S',
    ...(onError && { onError }),
    find: findByUserId(db, TABLES),
    datasets: {
      log_events: fromTable(
        db,
        { ...USAGE, table: 'lms_analytics.log_events', document: 'event', title: 'What you did on the platform' },
        LOG_FIELDS,
      ),
      devices: fromTable(
        db,
        {
          ...OBSERVED,
          table: 'lms_analytics.devices',
          title: 'Devices',
          category: 'device',
          purposes: ['provide_service', 'security'],
          legalBases: ['contract', 'legitimate_interest'],
        },
        { platform: 'string', model: 'string', browser: 'string', push_enabled: 'boolean', first_seen_at: 'datetime' },
      ),
      sessions: fromTable(
        db,
        { ...USAGE, table: 'lms_analytics.sessions', title: 'Sessions' },
        { ip: 'string', user_agent: 'string', started_at: 'datetime', minutes: 'number' },
      ),
      risk_scores: fromTable(
        db,
        { ...USAGE, table: 'lms_analytics.risk_scores', title: 'Predictions about your learning', origin: 'derived' },
        { model: 'string', score: 'number', explanation: 'string', computed_on: 'date' },
      ),
    },
  })
}
