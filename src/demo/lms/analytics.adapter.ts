import { type Adapter, createAdapter, type DatasetDefinition } from '../../adapter-kit/adapter.ts'
import { findByUserId, type Known } from './known.ts'
import { limit } from './rows.ts'
import type { Service } from './service.ts'
import { fromTable } from './table.ts'

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

/** Ends the use of what was recorded for statistics. The same rows serve security, which staff decide about: not done here. */
function endOfStatistics(db: Service['db'], table: string): Pick<DatasetDefinition<Known>, 'object' | 'withdraw_consent'> {
  const rows = { table, key: OBSERVED.key }
  return {
    object: ({ keys }, { task: { parameters } }) =>
      parameters.purposes.includes('analytics')
        ? limit(db, rows, keys, ['objection:analytics'], parameters.ground)
        : { outcome: 'not_supported' },
    withdraw_consent: ({ keys }, { task: { parameters } }) =>
      limit(db, rows, keys, [
        ...(parameters.purposes.includes('analytics') ? ['consent:analytics'] : []),
        ...(parameters.cookies.includes('analytics') ? ['consent:analytics_cookies'] : []),
      ]),
  }
}

export function analytics({ db, secret, onError }: Service): Adapter {
  return createAdapter<Known>({
    name: 'analytics',
    secrets: secret,
    identityTypes: [{ type: 'user_id' }],
    limits: { concurrency: 2, batch: 2 },
    expectedDuration: 'PT30S',
    ...(onError && { onError }),
    find: findByUserId(db, TABLES),
    datasets: {
      log_events: {
        ...fromTable(
          db,
          { ...USAGE, table: 'lms_analytics.log_events', document: 'event', title: 'What you did on the platform' },
          LOG_FIELDS,
        ),
        ...endOfStatistics(db, 'lms_analytics.log_events'),
      },
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
      sessions: {
        ...fromTable(
          db,
          { ...USAGE, table: 'lms_analytics.sessions', title: 'Sessions' },
          { ip: 'string', user_agent: 'string', started_at: 'datetime', minutes: 'number' },
        ),
        ...endOfStatistics(db, 'lms_analytics.sessions'),
      },
      risk_scores: {
        ...fromTable(
          db,
          { ...USAGE, table: 'lms_analytics.risk_scores', title: 'Predictions about your learning', origin: 'derived' },
          { model: 'string', score: 'number', explanation: 'string', computed_on: 'date' },
        ),
        ...endOfStatistics(db, 'lms_analytics.risk_scores'),
      },
    },
  })
}
