-- A small learning platform: five services, each with tables of its own and none of the others'.
-- Everything is read by person and in the order of ids, so that is what the primary keys are.
create schema if not exists lms_accounts;
create schema if not exists lms_billing;
create schema if not exists lms_learning;
create schema if not exists lms_analytics;
create schema if not exists lms_support;

-- accounts: who is who

create table if not exists lms_accounts.users (
  id bigint generated always as identity,
  user_id text not null unique,
  email text not null unique,
  name text not null,
  country text not null,
  locale text not null,
  time_zone text not null,
  city text,
  phone text,
  created_at timestamptz not null,
  last_login_at timestamptz,
  last_ip text,
  compromised boolean not null default false,
  primary key (user_id, id)
);
create table if not exists lms_accounts.emails (
  id bigint generated always as identity,
  user_id text not null,
  address text not null unique check (address = lower(address)),
  is_primary boolean not null,
  verified boolean not null,
  since timestamptz not null,
  primary key (user_id, id)
);
create table if not exists lms_accounts.profile_fields (
  id bigint generated always as identity, user_id text not null, field text not null, value text not null,
  primary key (user_id, id)
);
create table if not exists lms_accounts.preferences (
  id bigint generated always as identity, user_id text not null, name text not null, value text not null,
  primary key (user_id, id)
);
create table if not exists lms_accounts.consents (
  id bigint generated always as identity, user_id text not null, purpose text not null, granted boolean not null,
  policy_version text not null, given_at timestamptz not null, ip text not null, withdrawn_at timestamptz,
  primary key (user_id, id)
);
create table if not exists lms_accounts.linked_logins (
  id bigint generated always as identity, user_id text not null, provider text not null, external_id text not null,
  linked_at timestamptz not null,
  primary key (user_id, id)
);
-- Personal data, too, but a copy of it would only endanger its owner: no dataset reads this table.
create table if not exists lms_accounts.credentials (
  user_id text primary key, password_hash text not null
);

-- What whose rows may no longer be used for.
create table if not exists lms_accounts.limits (
  dataset text not null, person text not null, what text not null, ground text, since timestamptz not null default now(),
  primary key (person, dataset, what)
);
-- What others see of people, and whom marketing writes to.
create or replace view lms_accounts.shown_profiles as
  select user_id, name, city, country from lms_accounts.users u
  where not exists (select from lms_accounts.limits l where l.dataset = 'users' and l.person = u.user_id);
create or replace view lms_accounts.mailing_list as
  select user_id, email, name from lms_accounts.users u
  where exists (select from lms_accounts.consents c where c.user_id = u.user_id and c.purpose = 'marketing' and c.granted)
    and not exists (select from lms_accounts.limits l where l.dataset in ('users', 'consents') and l.person = u.user_id);

-- billing; `kept_until`: kept for the tax office alone

create table if not exists lms_billing.payment_methods (
  id bigint generated always as identity, user_id text not null, card_brand text not null, card_last4 text not null,
  expires_on date not null, is_default boolean not null,
  primary key (user_id, id)
);
create table if not exists lms_billing.invoices (
  id bigint generated always as identity, user_id text not null, number text not null, issued_on date not null,
  amount numeric(10, 2) not null, currency text not null, billed_to text not null, vat_id text, lines jsonb not null, paid boolean not null,
  kept_until date,
  primary key (user_id, id)
);
create table if not exists lms_billing.payments (
  id bigint generated always as identity, user_id text not null, invoice_number text not null, amount numeric(10, 2) not null,
  currency text not null, gateway text not null, card_brand text, card_last4 text, paid_at timestamptz not null, kept_until date,
  primary key (user_id, id)
);
create table if not exists lms_billing.refunds (
  id bigint generated always as identity, user_id text not null, invoice_number text not null, amount numeric(10, 2) not null,
  reason text not null, refunded_at timestamptz not null, kept_until date,
  primary key (user_id, id)
);

create table if not exists lms_billing.limits (
  dataset text not null, person text not null, what text not null, ground text, since timestamptz not null default now(),
  primary key (person, dataset, what)
);
-- What is used for anything but keeping it.
create or replace view lms_billing.usable_invoices as
  select * from lms_billing.invoices i
  where kept_until is null and not exists (select from lms_billing.limits l where l.dataset = 'invoices' and l.person = i.user_id);

-- learning

create table if not exists lms_learning.enrolments (
  id bigint generated always as identity, user_id text not null, course text not null, role text not null,
  enrolled_at timestamptz not null, completed_at timestamptz, progress numeric(5, 2) not null,
  primary key (user_id, id)
);
create table if not exists lms_learning.grades (
  id bigint generated always as identity, user_id text not null, course text not null, item text not null,
  grade numeric(5, 2), max_grade numeric(5, 2) not null, passed boolean not null, graded_at timestamptz not null,
  primary key (user_id, id)
);
create table if not exists lms_learning.grade_history (
  id bigint generated always as identity, user_id text not null, item text not null, old_grade numeric(5, 2),
  new_grade numeric(5, 2), graded_by text not null, feedback text, changed_at timestamptz not null,
  primary key (user_id, id)
);
create table if not exists lms_learning.forum_posts (
  id bigint generated always as identity, user_id text not null, course text not null, subject text not null,
  message text not null, created_at timestamptz not null, edited boolean not null, reply_to bigint,
  primary key (user_id, id)
);
create index if not exists forum_replies on lms_learning.forum_posts (reply_to) where reply_to is not null;
create table if not exists lms_learning.submissions (
  id bigint generated always as identity, user_id text not null, course text not null, assignment text not null,
  attempt int not null, text text, submitted_at timestamptz not null, late boolean not null,
  primary key (user_id, id)
);
create table if not exists lms_learning.submission_files (
  id bigint generated always as identity, user_id text not null, name text not null, media_type text not null,
  content bytea not null, size int generated always as (octet_length(content)) stored,
  primary key (user_id, id),
  unique (id)
);
create table if not exists lms_learning.quiz_attempts (
  id bigint generated always as identity, user_id text not null, course text not null, quiz text not null,
  attempt int not null, answers jsonb not null, score numeric(5, 2), started_at timestamptz not null, finished_at timestamptz,
  primary key (user_id, id)
);
create table if not exists lms_learning.certificates (
  id bigint generated always as identity, user_id text not null, course text not null, code text not null, issued_on date not null,
  primary key (user_id, id)
);

create table if not exists lms_learning.limits (
  dataset text not null, person text not null, what text not null, ground text, since timestamptz not null default now(),
  primary key (person, dataset, what)
);
-- What others read in the forum.
create or replace view lms_learning.shown_posts as
  select * from lms_learning.forum_posts p
  where not exists (select from lms_learning.limits l where l.dataset = 'forum_posts' and l.person = p.user_id);

-- analytics

-- As a pipeline of events keeps them: the document as it came in, on one line.
create table if not exists lms_analytics.log_events (
  id bigint generated always as identity, user_id text not null, event json not null check (strpos(event::text, E'\n') = 0),
  primary key (user_id, id)
);
create table if not exists lms_analytics.devices (
  id bigint generated always as identity, user_id text not null, platform text not null, model text not null,
  browser text not null, push_enabled boolean not null, first_seen_at timestamptz not null,
  primary key (user_id, id)
);
create table if not exists lms_analytics.sessions (
  id bigint generated always as identity, user_id text not null, ip text not null, user_agent text not null,
  started_at timestamptz not null, minutes int not null,
  primary key (user_id, id)
);
create table if not exists lms_analytics.risk_scores (
  id bigint generated always as identity, user_id text not null, model text not null, score numeric(4, 3) not null,
  explanation text not null, computed_on date not null,
  primary key (user_id, id)
);

create table if not exists lms_analytics.limits (
  dataset text not null, person text not null, what text not null, ground text, since timestamptz not null default now(),
  primary key (person, dataset, what)
);
-- What statistics are made of.
create or replace view lms_analytics.counted_events as
  select * from lms_analytics.log_events e
  where not exists (select from lms_analytics.limits l where l.dataset = 'log_events' and l.person = e.user_id);

-- support: knows people by the address they wrote from

create table if not exists lms_support.tickets (
  id bigint generated always as identity, requester_email text not null, reference text not null, subject text not null,
  status text not null, opened_at timestamptz not null, closed_at timestamptz,
  primary key (requester_email, id)
);
create table if not exists lms_support.ticket_messages (
  id bigint generated always as identity, requester_email text not null, ticket_reference text not null, author text not null,
  from_support boolean not null, body text not null, sent_at timestamptz not null,
  written_by text generated always as (case when not from_support then author end) stored,
  answered_by text generated always as (case when from_support then author end) stored,
  primary key (requester_email, id)
);
create table if not exists lms_support.attachments (
  id bigint generated always as identity, requester_email text not null, name text not null, media_type text not null,
  content bytea not null, size int generated always as (octet_length(content)) stored,
  primary key (requester_email, id),
  unique (id)
);
create table if not exists lms_support.csat (
  id bigint generated always as identity, requester_email text not null, ticket_reference text not null, score int not null,
  comment text, answered_at timestamptz not null,
  primary key (requester_email, id)
);

create table if not exists lms_support.limits (
  dataset text not null, person text not null, what text not null, ground text, since timestamptz not null default now(),
  primary key (person, dataset, what)
);
-- What agents work on.
create or replace view lms_support.queue as
  select * from lms_support.tickets t
  where status = 'open' and not exists (select from lms_support.limits l where l.dataset = 'tickets' and l.person = t.requester_email);

-- A number from 0 to n - 1 that looks like chance and is always the same.
create schema if not exists lms_seed;
create or replace function lms_seed.pick(seed int, salt int, i int, n int) returns int
  language sql immutable parallel safe
  return ((((seed::bigint * 7919 + salt::bigint * 104729 + i::bigint * 48271) * 69621) % 2147483647) % n)::int;
create or replace function lms_seed.one(seed int, salt int, i int, words text[]) returns text
  language sql immutable parallel safe
  return words[1 + lms_seed.pick(seed, salt, i, cardinality(words))];
create or replace function lms_seed.course(seed int, i int) returns text
  language sql immutable parallel safe
  return lms_seed.one(seed, 100, i, array['Statistics I', 'Botany for beginners', 'Русский язык A1', 'History of "the" Web', 'සිංහල සාහිත්‍යය', 'Machine learning']);
