import { isWrittenNumber } from './exact-numbers.ts'

/**
 * First characters that make a spreadsheet read a cell as a formula (OWASP ASVS 1.2.10), with the line feed and the full-width
 * forms that some of them fold into the plain ones.
 */
const FORMULA = /^[=+\-@\t\r\n\0\uFF1D\uFF0B\uFF0D\uFF20]/
const QUOTED = /[",\r\n]/
const LINE_END = '\r\n'

/**
 * One cell, RFC 4180. Text that a spreadsheet would run gets an apostrophe in front; the faithful original is in the JSON copy. A
 * number from JSON stays a number, a minus and all, because it can be nothing else.
 */
function cell(value: unknown): string {
  if (typeof value === 'string') {
    const text = FORMULA.test(value) ? `'${value}` : value
    return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  if (value === null || value === undefined) return ''
  if (isWrittenNumber(value)) return value.rawJSON
  if (typeof value === 'object') return `"${JSON.stringify(value).replaceAll('"', '""')}"`
  return String(value)
}

/** The name of the last column, which takes as JSON whatever a record has and no column declares: nothing is lost in the table. */
export function otherColumn(columns: readonly string[]): string {
  let name = '_other'
  while (columns.includes(name)) name = `_${name}`
  return name
}

/** One line of a table, line end included. */
export const csvLine = (values: readonly unknown[]): string => values.map(cell).join(',') + LINE_END

/** The header line, line end included: the declared columns, then `otherColumn`. */
export const csvHeader = (columns: readonly string[]): string => csvLine([...columns, otherColumn(columns)])

/** One record of JSON values as a line under `csvHeader(columns)`, line end included. Absent and null are both empty. */
export function csvRow(columns: readonly string[], record: Readonly<Record<string, unknown>>): string {
  let line = ''
  for (const column of columns) line += `${Object.hasOwn(record, column) ? cell(record[column]) : ''},`
  const others = Object.keys(record).filter(key => !columns.includes(key))
  if (others.length > 0) line += cell(Object.fromEntries(others.map(key => [key, record[key]])))
  return line + LINE_END
}
