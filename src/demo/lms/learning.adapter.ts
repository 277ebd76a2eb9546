import type pg from 'pg'
import { type Adapter, type Call, createAdapter } from '../../adapter-kit/adapter.ts'
import { findByUserId, type Known } from './known.ts'
import { eraseRows } from './rows.ts'
import type { Service } from './service.ts'
import { filesFromTable, fromTable, openFileIn } from './table.ts'

const TABLES = 'enrolments grades grade_history forum_posts submissions submission_files quiz_attempts certificates'.split(' ')

export function learning({ db, secret, onError }: Service): Adapter {
  return createAdapter<Known>({
    name: 'learning',
    secrets: secret,
    identityTypes: [{ type: 'user_id' }],
    limits: { concurrency: 4 },
    ...(onError && { onError }),
    find: findByUserId(
      db,
      TABLES.map(table => `lms_learning.${table}`),
    ),
    openFile: openFileIn(db, 'lms_learning.submission_files'),
    datasets: { ...progress(db), ...work(db) },
  })
}

const common = {
  key: 'user_id',
  purposes: ['provide_service'],
  legalBases: ['contract'],
  retention: 'account_data',
  recipients: ['Amazon Web Services'],
} as const

/** What the platform and its teachers note about a learner. A grade is somebody's judgement, hence derived. */
const progress = (db: pg.Pool) => ({
  enrolments: fromTable(
    db,
    { ...common, table: 'lms_learning.enrolments', title: 'Enrolments', category: 'learning', origin: 'provided' },
    { course: 'string', role: 'string', enrolled_at: 'datetime', completed_at: 'datetime', progress: 'number' },
  ),
  grades: fromTable(
    db,
    { ...common, table: 'lms_learning.grades', title: 'Grades', category: 'learning', origin: 'derived' },
    { course: 'string', item: 'string', grade: 'number', max_grade: 'number', passed: 'boolean', graded_at: 'datetime' },
  ),
  grade_history: fromTable(
    db,
    {
      ...common,
      table: 'lms_learning.grade_history',
      title: 'Changes of grades, with feedback',
      category: 'learning',
      origin: 'derived',
    },
    {
      item: 'string',
      old_grade: 'number',
      new_grade: 'number',
      graded_by: { type: 'string', title: 'Graded by', thirdParty: true },
      feedback: { type: 'string', title: 'Feedback', freeText: true },
      changed_at: 'datetime',
    },
  ),
  certificates: fromTable(
    db,
    { ...common, table: 'lms_learning.certificates', title: 'Certificates', category: 'learning', origin: 'derived' },
    { course: 'string', code: 'string', issued_on: 'date' },
  ),
})

const POSTS = { table: 'lms_learning.forum_posts', key: 'user_id' } as const

/** What others wrote in answer to a post is theirs and stays where it is: under a post without author, subject or text. */
async function emptyAnswered(db: pg.Pool, keys: readonly string[]): Promise<number> {
  const { rowCount } = await db.query(
    `update lms_learning.forum_posts p set user_id = '', subject = '', message = '' where user_id = any ($1)
     and exists (select from lms_learning.forum_posts r where r.reply_to = p.id and r.user_id <> p.user_id)`,
    [keys],
  )
  return rowCount ?? 0
}

/** What a learner made. */
const work = (db: pg.Pool) => ({
  forum_posts: {
    ...fromTable(
      db,
      { ...common, ...POSTS, title: 'Forum posts', category: 'content', origin: 'provided', containsThirdParties: true },
      {
        course: 'string',
        subject: 'string',
        message: { type: 'string', freeText: true },
        created_at: 'datetime',
        edited: 'boolean',
      },
    ),
    erase: async ({ keys }: Known, { signal }: Call) =>
      (await emptyAnswered(db, keys)) + (await eraseRows(db, POSTS, keys, signal)),
  },
  submissions: fromTable(
    db,
    { ...common, table: 'lms_learning.submissions', title: 'Submissions', category: 'learning', origin: 'provided' },
    { course: 'string', assignment: 'string', attempt: 'number', text: 'string', submitted_at: 'datetime', late: 'boolean' },
  ),
  submission_files: filesFromTable(db, {
    ...common,
    table: 'lms_learning.submission_files',
    title: 'Submitted files',
    category: 'learning',
    origin: 'provided',
  }),
  quiz_attempts: fromTable(
    db,
    { ...common, table: 'lms_learning.quiz_attempts', title: 'Quiz attempts', category: 'learning', origin: 'provided' },
    {
      course: 'string',
      quiz: 'string',
      attempt: 'number',
      answers: 'object',
      score: 'number',
      started_at: 'datetime',
      finished_at: 'datetime',
    },
  ),
})
