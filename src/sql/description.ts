import { type Static, type TSchema, Type } from 'typebox'
import { STATUTE } from '../domain/statute.ts'

const closed = { additionalProperties: false } as const
const text = (maxLength: number, description?: string) =>
  Type.String({ minLength: 1, maxLength, ...(description && { description }) })
const object = <P extends Record<string, TSchema>>(properties: P, description?: string) =>
  Type.Object(properties, { ...closed, ...(description && { description }) })
const { Optional } = Type

/** Of a dataset, or of a kind of identity: fit for a path, a file name and a log line. */
const Name = Type.String({ pattern: '^[a-z][a-z0-9_-]{0,62}$' })
/** As PostgreSQL has it, case and all, without quotes. */
const ColumnName = Type.String({ minLength: 1, maxLength: 63, pattern: '^[^\\u0000]+$' })
const Period = Type.String({ pattern: '^P[1-9][0-9]{0,3}[DWMY]$', description: 'ISO 8601, of one unit: `P7Y`.' })

const Target = object(
  {
    to: Type.Enum(['nothing', 'constant', 'hash'], {
      description: 'NULL; the `value`; or a stand-in that is different in each row, so that it may stand in a unique column.',
    }),
    value: Optional(Type.Union([Type.String(), Type.Number(), Type.Boolean()])),
    suffix: Optional(text(60, 'What a stand-in ends with: `@erased.invalid` where the column takes addresses only.')),
  },
  'What a column is changed into.',
)
export type Target = Static<typeof Target>

const Targets = Type.Record(ColumnName, Target, { minProperties: 1 })

const Erase = object(
  {
    action: Type.Enum(['delete', 'anonymise', 'detach', 'retain'], {
      description: '`detach` clears the columns of the paths, so that nothing leads from the person to the row.',
    }),
    columns: Optional(Targets),
    reason: Optional(Type.String({ pattern: '^17_3_[a-e]$', description: 'The exception of Art. 17(3) GDPR.' })),
    statute: Optional(Type.String({ pattern: STATUTE, description: 'Which law has it kept; with `17_3_b`.' })),
    from: Optional(ColumnName),
    fromTable: Optional(
      Type.String({ description: 'The table of a path by whose date rows are kept, where it is not their own.' }),
    ),
    for: Optional(Period),
    afterwards: Optional(
      object(
        { action: Type.Enum(['delete', 'anonymise', 'detach']), columns: Optional(Targets) },
        'What becomes of rows whose time is over; deleted unless told.',
      ),
    ),
  },
  'What becomes of the rows of a person when they are to be erased.',
)
export type Erase = Static<typeof Erase>

const Path = object(
  {
    via: Type.String({ description: 'The table of the description that leads on to the subject; or the one of the subject.' }),
    on: Optional(
      Type.Record(ColumnName, ColumnName, {
        minProperties: 1,
        description: 'Columns of this table and those they hold values of; the one foreign key there is, unless told.',
      }),
    ),
    ignoreCase: Optional(Type.Boolean({ description: 'Whether values lead on that differ in case: addresses typed by people.' })),
    onErase: Optional(
      Type.Enum(['detach'], {
        description: 'Rows are somebody else’s that only lead here by this path: of them, no more is erased than the way.',
      }),
    ),
  },
  'How rows are found to be of the person.',
)

const Column = object({
  title: Optional(text(200)),
  thirdParty: Optional(Type.Boolean({ description: 'Its value is about, or from, somebody else.' })),
  freeText: Optional(Type.Boolean({ description: 'Somebody’s own words, in which anybody may be mentioned.' })),
  rectify: Optional(Type.Boolean({ description: 'It may be corrected.' })),
  file: Optional(
    object(
      { name: Optional(ColumnName), mediaType: Optional(text(200)) },
      'It is `bytea` and handed over as a file. `name` is the column that holds the name of the file.',
    ),
  ),
})

const Restriction = object(
  { column: ColumnName, on: Optional(Type.Boolean()), off: Optional(Type.Boolean()) },
  'A boolean column by which the application knows that it may only store this. True means restricted, unless told.',
)

const DescribedTable = object({
  table: Optional(text(127, '`schema.table`, or a table of the schema `public`; the name of the dataset, unless told.')),
  title: text(200),
  category: text(64),
  origin: Type.Enum(['provided', 'observed', 'derived', 'third_party']),
  purposes: Type.Array(text(64), { minItems: 1, maxItems: 50 }),
  legalBases: Type.Array(text(64), { minItems: 1, maxItems: 10 }),
  retention: text(64),
  sensitive: Optional(Type.Boolean()),
  recipients: Optional(Type.Array(text(200), { maxItems: 100 })),
  paths: Optional(Type.Array(Path, { minItems: 1, maxItems: 20 })),
  columns: Type.Record(ColumnName, Column, { minProperties: 1, maxProperties: 500 }),
  erase: Erase,
  restriction: Optional(Restriction),
})
export type DescribedTable = Static<typeof DescribedTable>

const ContactPoint = object({
  table: Optional(Name),
  type: Name,
  column: ColumnName,
  since: ColumnName,
  verified: Type.Union([Type.Literal(true), ColumnName], { description: '`true`, or the boolean column that says so.' }),
})

/** A PostgreSQL database as an adapter: what is where, how a row is found to be a person's, and what becomes of it. */
export const Description = Type.Object(
  {
    version: Type.Literal(1),
    name: Name,
    region: Optional(text(64)),
    eraseAfter: Optional(Type.Array(Name, { maxItems: 100 })),
    limits: Optional(
      object({
        concurrency: Optional(Type.Integer({ minimum: 1, maximum: 64 })),
        perMinute: Optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
      }),
    ),
    subject: object({
      table: Name,
      identities: Type.Record(Name, object({ column: ColumnName, ignoreCase: Optional(Type.Boolean()) }), {
        minProperties: 1,
        description: 'Kinds of identity, each with the column of the subject’s table that holds it.',
      }),
      severalAccounts: Optional(
        Type.Boolean({ description: 'One person may be several rows, each with an identity of theirs.' }),
      ),
      restriction: Optional(Restriction),
    }),
    resolve: Optional(
      object({
        contactPoints: Type.Array(ContactPoint, { minItems: 1, maxItems: 10 }),
        name: Optional(ColumnName),
        locale: Optional(ColumnName),
        country: Optional(ColumnName),
      }),
    ),
    tables: Type.Record(Name, DescribedTable, { minProperties: 1, maxProperties: 200 }),
    ignored: Optional(Type.Array(object({ column: text(200, '`schema.table.column`'), because: text(500) }), { maxItems: 2000 })),
  },
  { ...closed, title: 'A PostgreSQL database as an adapter', $schema: 'https://json-schema.org/draft/2020-12/schema' },
)
export type Description = Static<typeof Description>
