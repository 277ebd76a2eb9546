import { type Session, textOf } from './session.ts'

export interface Column {
  name: string
  /** As it is written in SQL, such as `character varying(40)` or `"Odd".mood`. */
  type: string
  /** `N` number, `S` text, `B` boolean, `D` date or time, `A` array, `E` enum, `U` other (pg_type.typcategory). */
  category: string
  /** The built-in type beneath: `int8`, `text`, `bytea`, `json`. */
  base: string
  nullable: boolean
  generated: boolean
  maxLength: number | null
}

export interface ForeignKey {
  name: string
  columns: string[]
  /** `schema.table` */
  to: string
  toColumns: string[]
  /** `a` no action, `r` restrict, `c` cascade, `n` set null, `d` set default. */
  onDelete: 'a' | 'r' | 'c' | 'n' | 'd'
  deferrable: boolean
}

export interface Rights {
  select: boolean
  insert: boolean
  update: boolean
  delete: boolean
}

export interface Table {
  schema: string
  name: string
  partitioned: boolean
  /** Row security keeps rows from some: what is not seen is not counted. */
  guarded: boolean
  columns: ReadonlyMap<string, Column>
  primaryKey: string[]
  foreignKeys: ForeignKey[]
  /** By role. */
  rights: Readonly<Record<string, Rights>>
}

/** Tables by `schema.table`. */
export type Catalogue = ReadonlyMap<string, Table>

export const keyOf = ({ schema, name }: Pick<Table, 'schema' | 'name'>): string => `${schema}.${name}`

/** A table as a description names it: `schema.table`, or one of the schema `public`. */
export const keyNamed = (name: string): string => (name.includes('.') ? name : `public.${name}`)

/**
 * Of the columns of a pointer those that are cleared so that it points nowhere: such as may be empty, and if possible serve no other
 * pointer. One is enough (MATCH SIMPLE), and the number of a tenant stays where it is.
 */
export function clearable({ columns, foreignKeys }: Table, pointer: readonly string[]): string[] {
  const empty = pointer.filter(name => columns.get(name)?.nullable)
  const others = foreignKeys.filter(key => key.columns.join('\n') !== pointer.join('\n')).flatMap(key => key.columns)
  const own = empty.filter(name => !others.includes(name))
  return own.length > 0 ? own : empty
}

const TABLES = `
SELECT json_agg(json_build_object(
  'schema', n.nspname, 'name', c.relname, 'partitioned', c.relkind = 'p', 'guarded', c.relrowsecurity,
  'columns', (SELECT json_agg(json_build_object(
      'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'category', t.typcategory,
      'base', coalesce(b.typname, t.typname), 'nullable', NOT (a.attnotnull OR t.typnotnull), 'generated', a.attgenerated <> '' OR a.attidentity = 'a',
      'maxLength', CASE WHEN a.atttypmod > 4 AND t.typname IN ('varchar', 'bpchar') THEN a.atttypmod - 4 END) ORDER BY a.attnum)
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type b ON b.oid = nullif(t.typbasetype, 0)
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
  'primaryKey', (SELECT json_agg(a.attname ORDER BY k.at) FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY k (num, at), pg_attribute a
    WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND a.attnum = k.num),
  'foreignKeys', (SELECT json_agg(json_build_object(
      'name', f.conname, 'to', fn.nspname || '.' || fc.relname, 'onDelete', f.confdeltype, 'deferrable', f.condeferrable,
      'columns', (SELECT json_agg(a.attname ORDER BY k.at) FROM unnest(f.conkey) WITH ORDINALITY k (num, at), pg_attribute a
        WHERE a.attrelid = f.conrelid AND a.attnum = k.num),
      'toColumns', (SELECT json_agg(a.attname ORDER BY k.at) FROM unnest(f.confkey) WITH ORDINALITY k (num, at), pg_attribute a
        WHERE a.attrelid = f.confrelid AND a.attnum = k.num)) ORDER BY f.conname)
    FROM pg_constraint f JOIN pg_class fc ON fc.oid = f.confrelid JOIN pg_namespace fn ON fn.oid = fc.relnamespace
    WHERE f.conrelid = c.oid AND f.contype = 'f' AND NOT fc.relispartition),
  'rights', (SELECT json_object_agg(r.rolname, json_build_object(
      'select', has_any_column_privilege(r.oid, c.oid, 'SELECT'), 'insert', has_any_column_privilege(r.oid, c.oid, 'INSERT'),
      'update', has_any_column_privilege(r.oid, c.oid, 'UPDATE'), 'delete', has_table_privilege(r.oid, c.oid, 'DELETE')))
    FROM pg_roles r WHERE r.rolname = ANY ($1::text[]))))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'
  AND ($2::text[] IS NULL OR n.nspname || '.' || c.relname = ANY ($2::text[]))`

type Read = Omit<Table, 'columns' | 'primaryKey' | 'foreignKeys' | 'rights'> & {
  columns: Column[] | null
  primaryKey: string[] | null
  foreignKeys: ForeignKey[] | null
  rights: Record<string, Rights> | null
}

/**
 * What tables there are: every one of the database, or those named (`schema.table`); with the rights that these roles have in them.
 */
export async function readCatalogue(
  session: Session,
  { roles = [], only }: { roles?: readonly string[]; only?: readonly string[] } = {},
): Promise<Catalogue> {
  const [row] = await session.query(TABLES, [roles, only ?? null])
  const tables = JSON.parse(textOf(row?.[0]) || '[]') as Read[] | null
  return new Map(
    (tables ?? []).map(table => [
      keyOf(table),
      {
        ...table,
        columns: new Map((table.columns ?? []).map(column => [column.name, column])),
        primaryKey: table.primaryKey ?? [],
        foreignKeys: table.foreignKeys ?? [],
        rights: table.rights ?? {},
      },
    ]),
  )
}
