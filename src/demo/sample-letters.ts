import type { LetterValues } from '../delivery/letters/letters.ts'

const toOfficer = { reference: '0197c1de-0000-7000-8000-000000000001', officer: 'privacy@service.test' }
const common = { ...toOfficer, name: 'Ana Núñez' }
const authority = { name: 'Datatilsynet', url: 'https://www.datatilsynet.no/', language: 'no' }
const inZone = { timeZone: 'Europe/Berlin' }
const reasons = 'We looked for the account that the request names and found none.\n\nWhat we were sent since then names another.'
const dueSoon = { reference: common.reference, right: 'access', dueOn: '2026-04-03', flags: ['late_risk'] } as const

/** Every letter there is, with values that show all it can say. */
export const SAMPLES: LetterValues = {
  'identity-code': { ...common, code: 'K7M2-94XP', minutes: 10, right: 'access' },
  'login-needed': { ...common, right: 'erasure' },
  'download-code': { ...common, code: 'K7M2-94XP', minutes: 10 },
  acknowledgment: { ...common, right: 'portability', receivedOn: '2026-03-04', promisedOn: '2026-04-03' },
  'report-received': common,
  clarification: { ...common, about: 'identity', question: 'In which month did you open the account?' },
  extension: {
    ...common,
    reasonCode: 'scattered_sources',
    reasons: 'Two of our archives can only be searched by hand.',
    receivedOn: '2026-03-04',
    dueOn: '2026-06-04',
  },
  'fee-notice': {
    ...common,
    amount: '12.50',
    currency: 'EUR',
    reasons: 'This is the third request for the same data within one week.',
  },
  refusal: { ...common, right: 'access', ground: 'cannot_identify', reasons, authority },
  'partial-refusal': {
    ...common,
    right: 'access',
    ground: 'rights_of_others',
    parts: [{ text: 'Messages of others in your groups' }],
    reasons: 'What the others wrote tells of their lives and health, and they did not agree to your seeing it.',
    authority,
  },
  'erasure-announced': { ...common, ...inZone, right: 'access', ground: '17_1_b', coolsOffAt: '2026-03-06T22:30:00Z' },
  erased: {
    ...common,
    erasedOn: '2026-03-07',
    adapters: 5,
    kept: [{ title: 'Invoices', reason: '17_3_b', statute: '§ 147 AO', until: '2033-12-31' }],
    rescans: ['2026-03-14', '2026-04-06'],
    authority,
  },
  restricted: { ...common, restrictedOn: '2026-03-05', kept: ['Profile', 'Invoices'] },
  'restriction-to-be-lifted': { ...common, liftsOn: '2026-05-02' },
  'restriction-lifted': { ...common, remaining: false },
  rectified: {
    ...common,
    changed: [{ dataset: 'Profile', field: 'Family name' }],
    refused: {
      fields: [{ dataset: 'Certificates', field: 'Date of the exam' }],
      reasons: 'The examination office confirms the date that stands there.',
      authority,
    },
  },
  'objection-decided': {
    ...common,
    outcome: 'refused',
    purposes: ['security'],
    reasons: 'Without the log-in times we could not protect your account.',
    authority,
  },
  'consent-receipt': { ...common, purposes: ['marketing'], cookies: ['analytics', 'marketing'], withdrawnOn: '2026-03-05' },
  'opted-out': { ...common, optedOutOn: '2026-03-04' },
  'under-age-restricted': { ...common, ...inZone, contestUntil: '2026-03-18T22:30:00Z' },
  'under-age-lifted': common,
  answered: { ...common, text: 'Your data lie in the European Union.\n\nThey are not sold to anybody.' },
  'message-waiting': common,
  ready: {
    ...common,
    ...inZone,
    link: 'https://privacy.service.test/v1/downloads/abc?a=1&b=2',
    expiresAt: '2026-04-03T22:30:00Z',
    uses: 3,
    transmission: { receiver: 'Open University', outcome: 'refused' },
  },
  forwarding: { ...toOfficer, forwarding: '0197c1de-0000-7000-8000-000000000002', right: 'access', dueOn: '2026-04-05' },
  forwarded: {
    ...common,
    controller: 'University of Colombo',
    contact: 'privacy@university.test',
    parts: ['Grades', 'Certificates'],
    forwardedOn: '2026-03-05',
    dueOn: '2026-04-05',
  },
  lapsed: common,
  withdrawn: common,
  cancelled: { ...common, reason: 'duplicate' },
  'deadline-alarm': {
    ...toOfficer,
    right: 'access',
    level: 'in_3_days',
    dueOn: '2026-04-03',
    state: 'fulfilling',
    flags: ['failed_task', 'late_risk'],
  },
  'message-arrived': { ...toOfficer, right: 'inquiry' },
  'erasure-undone': { ...toOfficer, adapters: ['learning', 'billing'] },
  guessing: { ...toOfficer, reference: 'guessing 2026-04-01T09' },
  'daily-digest': {
    ...toOfficer,
    reference: 'digest 2026-04-01',
    date: '2026-04-01',
    open: 12,
    overdue: { total: 0, first: [] },
    dueSoon: { total: 9, first: [dueSoon] },
    needsDecision: { total: 1, first: [dueSoon] },
    untold: { total: 1, first: [dueSoon] },
  },
}
