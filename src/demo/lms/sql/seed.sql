-- Fills the five services for the people in the temporary table `seeding`: one row each, with how much of everything they have.
-- `at` is the day on which this world ends; everything lies before it.

insert into lms_accounts.users (user_id, email, name, country, locale, time_zone, city, phone, created_at, last_login_at, last_ip)
select user_id, email, name, country, locale, time_zone, city, format('+94 11 555 %s', to_char(seed % 10000, 'FM0000')),
  at - interval '3 years' + make_interval(hours => lms_seed.pick(seed, 1, 1, 8000)), at - interval '2 hours',
  format('192.0.2.%s', 1 + lms_seed.pick(seed, 2, 1, 254))
from seeding;

insert into lms_accounts.emails (user_id, address, is_primary, verified, since)
select user_id, email, true, true, at - interval '2 years' from seeding
union all
select user_id, former_email, false, true, at - interval '3 years' from seeding;

insert into lms_accounts.credentials select user_id, format('$argon2id$v=19$m=65536,t=3,p=4$%s', md5(user_id)) from seeding;

insert into lms_accounts.profile_fields (user_id, field, value)
select user_id, format('%s_%s', lms_seed.one(seed, 3, i, array['interest', 'skill', 'goal', 'biography', 'pronouns']), i),
  lms_seed.one(seed, 4, i, array['Botany', 'Statistics', 'She said "hello" & left', 'ශ්‍රී ලංකාව', E'Two\nlines', '日本語', '=HYPERLINK("http://evil.example","click")'])
from seeding cross join lateral generate_series(1, profile_fields) i;

insert into lms_accounts.preferences (user_id, name, value)
select user_id, format('%s.%s', lms_seed.one(seed, 5, i, array['forum', 'calendar', 'editor', 'course', 'message']), i),
  lms_seed.one(seed, 6, i, array['on', 'off', 'daily', 'weekly', '42'])
from seeding cross join lateral generate_series(1, preferences) i;

insert into lms_accounts.consents (user_id, purpose, granted, policy_version, given_at, ip)
select user_id, purpose, lms_seed.pick(seed, 7, i::int, 2) = 0, '2025-01-18', at - make_interval(days => 30 * i::int), format('192.0.2.%s', 1 + lms_seed.pick(seed, 8, i::int, 254))
from seeding cross join unnest(array['marketing', 'analytics_cookies', 'marketing_cookies']) with ordinality c (purpose, i);

insert into lms_accounts.linked_logins (user_id, provider, external_id, linked_at)
select user_id, 'google', md5(user_id || 'google'), at - interval '1 year' from seeding where seed % 2 = 0;

insert into lms_billing.invoices (user_id, number, issued_on, amount, currency, billed_to, vat_id, lines, paid)
select user_id, format('INV-%s-%s', user_id, to_char(i, 'FM00000')), (at - make_interval(days => 30 * i))::date, 19.9 + 10 * lms_seed.pick(seed, 9, i, 20), 'EUR',
  format(E'%s\nHauptstraße 1\n10115 Berlin', name), case when seed % 3 = 0 then 'DE123456789' end,
  jsonb_build_array(jsonb_build_object('text', 'Subscription', 'quantity', 1), jsonb_build_object('text', 'Course "Statistics"', 'quantity', 2)), true
from seeding cross join lateral generate_series(1, invoices) i;

insert into lms_billing.payment_methods (user_id, card_brand, card_last4, expires_on, is_default)
select user_id, 'visa', to_char(1000 + seed % 9000, 'FM0000'), (at + interval '2 years')::date, true from seeding where invoices > 0;

insert into lms_billing.payments (user_id, invoice_number, amount, currency, gateway, card_brand, card_last4, paid_at)
select i.user_id, number, amount, currency, 'stripe', 'visa', to_char(1000 + s.seed % 9000, 'FM0000'), issued_on + interval '9 hours'
from lms_billing.invoices i join seeding s using (user_id);

insert into lms_billing.refunds (user_id, invoice_number, amount, reason, refunded_at)
select user_id, number, -amount / 2, 'Course cancelled', issued_on + interval '10 days'
from lms_billing.invoices join seeding using (user_id) where right(number, 1) = '3';

insert into lms_learning.enrolments (user_id, course, role, enrolled_at, completed_at, progress)
select user_id, lms_seed.course(seed, i), case when logs >= 1000000 then 'teacher' else 'student' end, at - make_interval(days => i * 10),
  case when i % 3 = 0 then at - make_interval(days => i * 5) end, lms_seed.pick(seed, 10, i, 101)
from seeding cross join lateral generate_series(1, enrolments) i;

insert into lms_learning.grades (user_id, course, item, grade, max_grade, passed, graded_at)
select user_id, lms_seed.course(seed, i), format('Assignment %s', i), lms_seed.pick(seed, 11, i, 1000) / 10.0, 100, lms_seed.pick(seed, 11, i, 1000) >= 400,
  at - make_interval(hours => i)
from seeding cross join lateral generate_series(1, grades) i;

insert into lms_learning.grade_history (user_id, item, old_grade, new_grade, graded_by, feedback, changed_at)
select user_id, format('Assignment %s', 1 + i % 200), null, lms_seed.pick(seed, 12, i, 1000) / 10.0, lms_seed.one(seed, 13, i, array['Dr. Nimal Silva', 'Prof. Grace Müller', 'Tomás Ó Briain']),
  lms_seed.one(seed, 14, i, array['Well argued, but see what Kamal wrote.', 'Late; talk to Prof. Müller.', E'Good.\nMind the sources.', null]), at - make_interval(mins => i * 7)
from seeding cross join lateral generate_series(1, grade_history) i;

-- Every tenth post answers somebody who was there before.
insert into lms_learning.forum_posts (user_id, course, subject, message, created_at, edited, reply_to)
select user_id, lms_seed.course(seed, i), format('%s %s', lms_seed.one(seed, 15, i, array['Question about week', 'Re: Homework', 'Study group', 'වැදගත්', 'Überblick zu Woche']), i),
  lms_seed.one(seed, 16, i, array['=1+1', E'I think the answer is "42",\nbut Kamal says otherwise.', '+94 77 555 0000 is my number', '@everyone: see you at five', '-- see above',
    'Does anybody understand the third proof? 🤔', '<script>alert(1)</script> is how it starts', 'மிக்க நன்றி!', 'Vielen Dank für die Erklärung, sehr hilfreich.']),
  at - make_interval(mins => i * 90), i % 10 = 0,
  case when i % 10 = 0 then (select min(id) from lms_learning.forum_posts where user_id = 'u-10000') end
from seeding cross join lateral generate_series(1, posts) i;

insert into lms_learning.submissions (user_id, course, assignment, attempt, text, submitted_at, late)
select user_id, lms_seed.course(seed, i), format('Assignment %s', i), 1, format('My essay, number %s, by %s.', i, name), at - make_interval(hours => i * 30), i % 7 = 0
from seeding cross join lateral generate_series(1, files) i;

-- Three in ten are too large to travel inside the stream.
insert into lms_learning.submission_files (user_id, name, media_type, content)
select user_id,
  case i % 10 when 0 then '../../etc/passwd' when 1 then 'essay.txt' when 2 then 'Essay.TXT' when 3 then format('Résumé – week %s.txt', i) when 4 then format('අවසාන රචනය %s.pdf', i)
    when 5 then format('scan %s.png', i) when 6 then '=cmd|calc.csv' else format('report-%s.pdf', i) end,
  case when i % 10 = 5 then 'image/png' when i % 10 in (4, 7, 8, 9) then 'application/pdf' when i % 10 = 6 then 'text/csv' else 'text/plain' end,
  case when i % 10 = 5 then decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=', 'base64')
    when i % 10 in (4, 7, 8, 9) then convert_to(format(E'%%PDF-1.4\n%% %s, %s\n', user_id, i) || repeat(format('%% page of %s', user_id) || E'\n', case when i % 10 = 4 then 20 else 2000 end) || '%%EOF', 'UTF8')
    else convert_to(repeat(format('Paragraph of essay %s by %s. ', i, name), 30), 'UTF8') end
from seeding cross join lateral generate_series(1, files) i;

insert into lms_learning.quiz_attempts (user_id, course, quiz, attempt, answers, score, started_at, finished_at)
select user_id, lms_seed.course(seed, i), format('Quiz %s', i), 1 + i % 3, jsonb_build_object('q1', lms_seed.pick(seed, 17, i, 4), 'q2', i % 2 = 0, 'q3', 'free "text"'),
  lms_seed.pick(seed, 18, i, 1001) / 10.0, at - make_interval(hours => i * 11), at - make_interval(hours => i * 11 - 1)
from seeding cross join lateral generate_series(1, quizzes) i;

insert into lms_learning.certificates (user_id, course, code, issued_on)
select user_id, lms_seed.course(seed, i), md5(format('%s/%s', user_id, i)), (at - make_interval(days => i * 50))::date
from seeding cross join lateral generate_series(1, certificates) i;

insert into lms_analytics.log_events (user_id, event)
select user_id, format('{"event":"\\mod_%s\\event\\%s_%s","component":"mod_%s","action":"%s","target":"%s","crud":"%s","objectid":%s,"courseid":%s,"contextid":%s,'
  '"contextlevel":70,"anonymous":false,"relateduserid":null,"origin":"%s","ip":"198.51.100.%s","other":%s,"timecreated":"%s"}',
  component, target, action, component, action, target, substr('rcu', 1 + i % 3, 1), 1000 + i % 50000, 1 + i % 200, 20000 + i % 7000,
  case when i % 5 = 0 then 'app' else 'web' end, 1 + i % 254, case when i % 4 = 0 then '{"discussionid":17,"postcount":3}' else 'null' end,
  to_char((at - make_interval(secs => i * (63072000.0 / logs))) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))::json
from seeding cross join lateral generate_series(1, logs) i
cross join lateral (select (array['forum', 'quiz', 'assign', 'page', 'resource'])[1 + i % 5] as component, (array['viewed', 'created', 'updated'])[1 + i % 3] as action,
  (array['discussion', 'attempt', 'submission', 'course_module'])[1 + i % 4] as target) w;

insert into lms_analytics.devices (user_id, platform, model, browser, push_enabled, first_seen_at)
select user_id, lms_seed.one(seed, 19, i, array['Android 15', 'iOS 19', 'Windows 11', 'Linux']), format('Model %s', i), lms_seed.one(seed, 20, i, array['Firefox 140', 'Chrome 139', 'Safari 19']),
  i % 2 = 0, at - make_interval(days => i * 20)
from seeding cross join lateral generate_series(1, devices) i;

insert into lms_analytics.sessions (user_id, ip, user_agent, started_at, minutes)
select user_id, format('203.0.113.%s', 1 + i % 254), 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', at - make_interval(hours => i * 3), 1 + lms_seed.pick(seed, 21, i, 240)
from seeding cross join lateral generate_series(1, sessions) i;

insert into lms_analytics.risk_scores (user_id, model, score, explanation, computed_on)
select user_id, 'dropout-2', lms_seed.pick(seed, 22, i, 1000) / 1000.0, 'Fewer logins than last month.', (at - make_interval(months => i))::date
from seeding cross join generate_series(1, 3) i;

-- Every third ticket was written from the address the person used before.
insert into lms_support.tickets (requester_email, reference, subject, status, opened_at, closed_at)
select case when i % 3 = 0 then former_email else email end, format('ZD-%s-%s', user_id, i), lms_seed.one(seed, 23, i, array['Cannot log in', 'Refund please', 'Certificate is missing', 'Zertifikat fehlt']),
  case when i % 2 = 0 then 'closed' else 'open' end, at - make_interval(days => i * 3), case when i % 2 = 0 then at - make_interval(days => i * 3 - 1) end
from seeding cross join lateral generate_series(1, tickets) i;

insert into lms_support.ticket_messages (requester_email, ticket_reference, author, from_support, body, sent_at)
select requester_email, reference, case when m % 2 = 0 then 'Nimal Silva (support)' else s.name end, m % 2 = 0,
  case when m % 2 = 0 then 'Dear customer, my colleague Grace Müller looks into it.' else format(E'Hello,\nthis is %s, message %s. =SUM(A1:A9)', s.name, m) end, opened_at + make_interval(hours => m)
from seeding s join lms_support.tickets t on t.requester_email in (s.email, s.former_email) cross join lateral generate_series(1, s.messages) m;

insert into lms_support.attachments (requester_email, name, media_type, content)
select requester_email, 'screenshot.png', 'image/png', decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=', 'base64')
from seeding s join lms_support.tickets t on t.requester_email in (s.email, s.former_email) where right(t.reference, 1) in ('1', '2');

insert into lms_support.csat (requester_email, ticket_reference, score, comment, answered_at)
select requester_email, reference, 1 + lms_seed.pick(s.seed, 24, length(reference), 5), 'Friendly, but slow.', closed_at
from seeding s join lms_support.tickets t on t.requester_email in (s.email, s.former_email) where status = 'closed';

-- Without this the planner guesses, and reads a long log from its start for every page.
analyze lms_analytics.log_events, lms_analytics.sessions, lms_learning.forum_posts, lms_learning.grade_history, lms_learning.grades;
