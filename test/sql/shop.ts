import type { DescribedTable, Description, Erase } from '../../src/sql/description.ts'

/** A shop of many tenants: composite keys, pointers in circles, rows four foreign keys away, names as nobody should give them. */
export const SHOP_SQL = `
CREATE SCHEMA "Odd ""Names""";
CREATE TYPE "Odd ""Names""".mood AS ENUM ('so-so', 'gr''eat');
CREATE TABLE people (tenant int, id uuid, email text UNIQUE, name text NOT NULL, latest int, PRIMARY KEY (tenant, id));
CREATE TABLE orders (tenant int, no int, person uuid NOT NULL, placed_on date NOT NULL, PRIMARY KEY (tenant, no),
  FOREIGN KEY (tenant, person) REFERENCES people);
ALTER TABLE people ADD CONSTRAINT latest_order FOREIGN KEY (tenant, latest) REFERENCES orders;
CREATE TABLE order_lines (tenant int, order_no int, line int, what text, PRIMARY KEY (tenant, order_no, line),
  FOREIGN KEY (tenant, order_no) REFERENCES orders ON DELETE CASCADE);
CREATE TABLE line_notes (id bigint PRIMARY KEY, tenant int, order_no int, line int, body text,
  FOREIGN KEY (tenant, order_no, line) REFERENCES order_lines);
CREATE TABLE note_marks (note bigint REFERENCES line_notes, mark text);
CREATE TABLE comments (id int PRIMARY KEY, tenant int, person uuid, reply_to int REFERENCES comments, body text,
  FOREIGN KEY (tenant, person) REFERENCES people);
CREATE TABLE passports (id int PRIMARY KEY, tenant int, person uuid, first_page int NOT NULL, FOREIGN KEY (tenant, person) REFERENCES people);
CREATE TABLE pages (id int PRIMARY KEY, passport int NOT NULL REFERENCES passports, stamp text);
ALTER TABLE passports ADD CONSTRAINT first_page FOREIGN KEY (first_page) REFERENCES pages DEFERRABLE;
CREATE TABLE "Odd ""Names"""."Select" ("from" serial PRIMARY KEY, tenant int, "who is it" uuid, "camelCase" boolean, "1%" numeric, big bigint, tiny smallint,
  dbl double precision, day date, at timestamptz, local timestamp, span interval, mood "Odd ""Names""".mood, tags text[], moods "Odd ""Names""".mood[],
  doc json, docb jsonb, bytes bytea, words text, ip inet, "__proto__" text, FOREIGN KEY (tenant, "who is it") REFERENCES people);
`

const OWN = {
  origin: 'provided' as const,
  purposes: ['provide_service'],
  legalBases: ['contract'],
  retention: 'account_data',
  category: 'content',
}
const table = (title: string, columns: string[], erase: Erase, more: Partial<DescribedTable> = {}): DescribedTable => ({
  ...OWN,
  title,
  columns: Object.fromEntries(columns.map(name => [name, {}])),
  erase,
  ...more,
})
const ODD = [
  'from',
  'camelCase',
  '1%',
  'big',
  'tiny',
  'dbl',
  'day',
  'at',
  'local',
  'span',
  'mood',
  'tags',
  'moods',
  'doc',
  'docb',
  'bytes',
]
const toPeople = { paths: [{ via: 'people' }] }

export const SHOP: Description = {
  version: 1,
  name: 'shop',
  subject: { table: 'people', identities: { email: { column: 'email' }, user_id: { column: 'id' } } },
  tables: {
    people: table('Account', ['email', 'name'], { action: 'delete' }),
    orders: table(
      'Orders',
      ['no', 'placed_on'],
      { action: 'delete' },
      { paths: [{ via: 'people', on: { tenant: 'tenant', person: 'id' } }] },
    ),
    order_lines: table('Lines', ['line', 'what'], { action: 'delete' }, { paths: [{ via: 'orders' }] }),
    line_notes: table('Notes', ['body'], { action: 'delete' }, { paths: [{ via: 'order_lines' }] }),
    note_marks: table('Marks', ['mark'], { action: 'delete' }, { paths: [{ via: 'line_notes' }] }),
    comments: table('Comments', ['body'], { action: 'delete' }, toPeople),
    passports: table('Passports', ['id'], { action: 'delete' }, toPeople),
    pages: table('Pages', ['stamp'], { action: 'delete' }, { paths: [{ via: 'passports' }] }),
    odd: table('Odd', [...ODD, 'words', 'ip', '__proto__'], { action: 'delete' }, { ...toPeople, table: 'Odd "Names".Select' }),
  },
  ignored: [
    { column: 'public.people.latest', because: 'Leads from a person to their own order.' },
    { column: 'public.comments.reply_to', because: 'An answer is its author’s.' },
    { column: 'public.passports.first_page', because: 'Leads from a passport to its own page.' },
  ],
}

const id = (n: number) => `00000000-0000-4000-8000-00000000000${n}`
export const [ANA, BEN] = [id(1), id(2)] as const

export const SHOP_ROWS = `
INSERT INTO people VALUES (1, '${ANA}', 'ana@example.org', 'Ana', NULL), (1, '${BEN}', 'ben@example.org', 'Ben', NULL), (2, '${ANA}', NULL, 'Of another tenant', NULL);
INSERT INTO orders SELECT t, n, CASE WHEN n % 2 = 0 THEN '${ANA}' ELSE '${BEN}' END::uuid, DATE '2016-01-01' + n * 100 FROM generate_series(1, 40) n, (VALUES (1)) v (t);
INSERT INTO orders VALUES (2, 2, '${ANA}', '2020-01-01');
UPDATE people SET latest = CASE id WHEN '${ANA}' THEN 2 ELSE 1 END WHERE tenant = 1;
INSERT INTO order_lines SELECT tenant, no, l, 'w' FROM orders, generate_series(1, 3) l;
INSERT INTO line_notes SELECT row_number() OVER (), tenant, order_no, line, 'n' FROM order_lines WHERE line < 3;
INSERT INTO note_marks SELECT id, 'm' FROM line_notes;
INSERT INTO comments VALUES (1, 1, '${ANA}', NULL, 'a'), (2, 1, '${ANA}', 1, 'b'), (3, 1, '${BEN}', NULL, 'c'), (4, 1, '${ANA}', 3, 'd');
UPDATE comments SET reply_to = 2 WHERE id = 1;
BEGIN; SET CONSTRAINTS ALL DEFERRED;
INSERT INTO passports VALUES (1, 1, '${ANA}', 10), (2, 1, '${BEN}', 20); INSERT INTO pages VALUES (10, 1, 's'), (11, 1, 't'), (20, 2, 's'); COMMIT;
INSERT INTO "Odd ""Names"""."Select" (tenant, "who is it", "camelCase", "1%", big, tiny, dbl, day, at, local, span, mood, tags, moods, doc, docb, bytes, words, ip, "__proto__") VALUES
  (1, '${ANA}', true, 12345678901234567890.120000, 9223372036854775807, -1, 0.1, '2024-02-29', '2024-02-29 23:30:00.123456+05:30', '2024-02-29 12:00', '1 day 2:03', 'gr''eat',
   ARRAY['a"b', NULL, '{}'], ARRAY['so-so']::"Odd ""Names""".mood[], '{"n": 1.00, "half": "\\ud800", "nul": "\\u0000"}', '{"b": 1e3}', '\\x00ff10', E'tab\\t "q" \\u2028 \\U0001F600 =1+1', '10.0.0.1', 'polluted'),
  (1, '${ANA}', NULL, 'NaN', NULL, NULL, 'Infinity', NULL, 'infinity', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', NULL, NULL),
  (1, '${BEN}', false, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, '{}', NULL, NULL, NULL, NULL, 'ben', NULL, NULL);
`
/** Every table, and what of it is not Ana's. */
export const OF_OTHERS: Record<string, string> = {
  people: `SELECT t::text FROM people t WHERE NOT (tenant = 1 AND id = '${ANA}')`,
  orders: `SELECT t::text FROM orders t WHERE NOT (tenant = 1 AND person = '${ANA}')`,
  order_lines: `SELECT t::text FROM order_lines t JOIN orders o USING (tenant) WHERE o.no = order_no AND NOT (o.tenant = 1 AND o.person = '${ANA}')`,
  line_notes: `SELECT t::text FROM line_notes t JOIN orders o USING (tenant) WHERE o.no = order_no AND NOT (o.tenant = 1 AND o.person = '${ANA}')`,
  comments: `SELECT t::text FROM comments t WHERE person <> '${ANA}'`,
  pages: `SELECT t::text FROM pages t WHERE passport = 2`,
  odd: `SELECT t::text FROM "Odd ""Names"""."Select" t WHERE "who is it" <> '${ANA}'`,
}
