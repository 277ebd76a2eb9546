import type { Description } from '../../src/sql/description.ts'

/** A learning platform of the old school: no foreign keys, times in seconds, whatever holds nothing holds 0 or ''. */
export const CAMPUS_SQL = `
CREATE TABLE mdl_user (id bigserial PRIMARY KEY, username varchar(100) NOT NULL DEFAULT '', email varchar(100) NOT NULL DEFAULT '',
  firstname varchar(100) NOT NULL DEFAULT '', confirmed smallint NOT NULL DEFAULT 0, suspended boolean NOT NULL DEFAULT false,
  lang varchar(30) NOT NULL DEFAULT 'en', picture bytea, timecreated bigint NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX ON mdl_user (username);
CREATE TABLE mdl_course (id bigserial PRIMARY KEY, fullname varchar(254) NOT NULL DEFAULT '');
CREATE TABLE mdl_forum_discussions (id bigserial PRIMARY KEY, course bigint NOT NULL, name varchar(255) NOT NULL, userid bigint NOT NULL DEFAULT 0);
CREATE TABLE mdl_forum_posts (id bigserial PRIMARY KEY, discussion bigint NOT NULL DEFAULT 0, parent bigint NOT NULL DEFAULT 0,
  userid bigint NOT NULL DEFAULT 0, created bigint NOT NULL DEFAULT 0, subject varchar(255) NOT NULL DEFAULT '', message text NOT NULL);
CREATE TABLE mdl_post_attachments (id bigserial PRIMARY KEY, post bigint NOT NULL, filename varchar(255) NOT NULL, contents bytea);
CREATE TABLE mdl_grade_grades (id bigserial PRIMARY KEY, itemid bigint NOT NULL, userid bigint NOT NULL, usermodified bigint, finalgrade numeric(10,5), feedback text);
CREATE TABLE mdl_logstore_standard_log (id bigserial PRIMARY KEY, eventname varchar(255) NOT NULL DEFAULT '', userid bigint NOT NULL,
  relateduserid bigint, other text, ip varchar(45), timecreated bigint NOT NULL);
CREATE INDEX ON mdl_logstore_standard_log (userid);
CREATE TABLE mdl_payments (id bigserial PRIMARY KEY, userid bigint NOT NULL, amount varchar(20) NOT NULL, timecreated bigint NOT NULL);
CREATE TABLE mdl_support (id bigserial PRIMARY KEY, requester_email varchar(255) NOT NULL, body text NOT NULL);
`

const OWN = {
  origin: 'provided' as const,
  purposes: ['provide_service'],
  legalBases: ['contract'],
  retention: 'account_data',
}

export const CAMPUS: Description = {
  version: 1,
  name: 'campus',
  subject: {
    table: 'account',
    identities: { user_id: { column: 'id' }, email: { column: 'email', ignoreCase: true } },
    restriction: { column: 'suspended' },
  },
  resolve: {
    contactPoints: [{ type: 'email', column: 'email', since: 'timecreated', verified: true }],
    name: 'firstname',
    locale: 'lang',
  },
  tables: {
    account: {
      ...OWN,
      table: 'mdl_user',
      title: 'Account',
      category: 'account',
      columns: {
        username: {},
        email: { title: 'E-mail address' },
        firstname: { rectify: true },
        timecreated: {},
        picture: { file: { mediaType: 'image/png' } },
      },
      erase: { action: 'delete' },
    },
    discussions: {
      ...OWN,
      table: 'mdl_forum_discussions',
      title: 'Discussions begun',
      category: 'content',
      paths: [{ via: 'account', on: { userid: 'id' } }],
      columns: { name: { freeText: true } },
      erase: { action: 'anonymise', columns: { userid: { to: 'constant', value: 0 }, name: { to: 'constant', value: '' } } },
    },
    posts: {
      ...OWN,
      table: 'mdl_forum_posts',
      title: 'Posts',
      category: 'content',
      paths: [{ via: 'account', on: { userid: 'id' } }],
      columns: { subject: { freeText: true }, message: { freeText: true, rectify: true }, created: {} },
      erase: {
        action: 'anonymise',
        columns: {
          userid: { to: 'constant', value: 0 },
          subject: { to: 'constant', value: '' },
          message: { to: 'constant', value: '' },
        },
      },
    },
    attachments: {
      ...OWN,
      table: 'public.mdl_post_attachments',
      title: 'Attachments',
      category: 'content',
      paths: [{ via: 'posts', on: { post: 'id' } }],
      columns: { filename: {}, contents: { file: { name: 'filename' } } },
      erase: { action: 'delete' },
    },
    grades: {
      ...OWN,
      table: 'mdl_grade_grades',
      title: 'Grades',
      category: 'learning',
      origin: 'observed',
      paths: [
        { via: 'account', on: { userid: 'id' } },
        { via: 'account', on: { usermodified: 'id' }, onErase: 'detach' },
      ],
      columns: { finalgrade: {}, feedback: { freeText: true }, usermodified: { thirdParty: true } },
      erase: { action: 'delete' },
    },
    log: {
      ...OWN,
      table: 'mdl_logstore_standard_log',
      title: 'Log',
      category: 'usage',
      origin: 'observed',
      retention: 'usage_data',
      legalBases: ['legitimate_interest'],
      purposes: ['security'],
      paths: [
        { via: 'account', on: { userid: 'id' } },
        { via: 'account', on: { relateduserid: 'id' }, onErase: 'detach' },
      ],
      columns: { eventname: {}, other: {}, ip: {}, timecreated: {} },
      erase: { action: 'delete' },
    },
    payments: {
      ...OWN,
      table: 'mdl_payments',
      title: 'Payments',
      category: 'billing',
      retention: 'financial_records',
      paths: [{ via: 'account', on: { userid: 'id' } }],
      columns: { amount: {}, timecreated: {} },
      erase: { action: 'retain', reason: '17_3_b', statute: 'the tax law', from: 'timecreated', for: 'P7Y' },
    },
    support: {
      ...OWN,
      table: 'mdl_support',
      title: 'Support',
      category: 'support',
      retention: 'support_communications',
      paths: [{ via: 'account', on: { requester_email: 'email' }, ignoreCase: true }],
      columns: { body: { freeText: true } },
      erase: { action: 'delete' },
    },
  },
}

const YEAR = 31_557_600
const now = Math.floor(Date.now() / 1000)

/** Ana (5), Ben (6) and a teacher (7), who have all been busy. */
export const CAMPUS_ROWS = `
INSERT INTO mdl_user (id, username, email, firstname, picture, timecreated) VALUES
  (5, 'ana', 'Ana@example.org', 'Ana', '\\x89504e47', ${now - 3 * YEAR}), (6, 'ben', 'ben@example.org', 'Ben', NULL, ${now - YEAR}), (7, 'tea', 'tea@example.org', 'Tea', NULL, 0);
INSERT INTO mdl_course VALUES (1, 'Law');
INSERT INTO mdl_forum_discussions VALUES (1, 1, 'Who is right?', 5), (2, 1, 'I am', 6);
INSERT INTO mdl_forum_posts VALUES (1, 1, 0, 5, ${now}, 's', 'ana asks'), (2, 1, 1, 6, ${now}, 's', 'ben answers'), (3, 2, 0, 6, ${now}, 's', 'ben'), (4, 2, 3, 5, ${now}, 's', 'ana');
INSERT INTO mdl_post_attachments VALUES (1, 1, 'a.txt', 'hello'), (2, 2, 'b.txt', 'ben''s'), (3, 4, 'empty', ''), (4, 4, 'none', NULL);
INSERT INTO mdl_grade_grades VALUES (1, 1, 5, 7, 9.50000, 'good'), (2, 1, 6, 7, 3.00000, 'no'), (3, 1, 6, 5, 4, 'by ana');
INSERT INTO mdl_logstore_standard_log SELECT i, 'e', CASE WHEN i % 3 = 0 THEN 5 ELSE 6 END, CASE WHEN i % 7 = 0 THEN 5 END, '{"i":' || i || '}', '10.0.0.1', ${now} FROM generate_series(1, 5000) i;
INSERT INTO mdl_payments VALUES (1, 5, '10.00', ${now - 8 * YEAR}), (2, 5, '12.00', ${now - YEAR}), (3, 6, '12.00', ${now - 8 * YEAR});
INSERT INTO mdl_support VALUES (1, 'ANA@example.org', 'help'), (2, 'ben@example.org', 'help'), (3, 'ana@example.org', 'help');
`
